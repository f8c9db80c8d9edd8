"""What docker-compose.yml tells the components is what there is to be set: no setting is dropped on the way."""

import os
import re
from pathlib import Path

import pytest
import yaml

from settings import ROOT, Settings
from settings.secret_files import names
from settings.unknown_variables import unknown_variables
from stack import sample
from stack.container_secrets import Owners, write

TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
SECRETS = "secrets"
"""The service that writes the passwords, and reads no settings."""
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("foretick:") and name != SECRETS]
PLACES = {
    "config",  # /data/foretick.toml, on the volume
    *("home", "kafka", "database_url", "redis_url", "mlflow_uri", "metrics_port", "metrics_address"),  # the images' own
    *("dashboard_port", "api_port", "metrics_ports", "kafka_open", "kafka_open_port"),  # of `up`, which chooses ports
    *("kafka_user", "kafka_password", "kafka_security", "kafka_mechanism", "kafka_ca"),  # the Kafka there has no users
    *("restarted_at", "worker_name"),  # of one process
}
"""The settings that say where something is, or who: there docker-compose.yml decides."""
OTHERS = {
    "FORETICK_HOSTS": "dashboard,api",
    "FORETICK_LOG_FORMAT": "json",
    "FORETICK_MLFLOW_PAGE": "http://127.0.0.1:5000",
}
"""Where another default than that of the settings holds between containers."""
EXAMPLES = {
    "FORETICK_MODELS": ("ridge,har", ("ridge", "har")),
    "FORETICK_PROMOTE": ("false", False),
    "FORETICK_PROMOTE_ALPHA": ("0.01", 0.01),
    "FORETICK_PROMOTE_MARGIN": ("0.01", 0.01),
    "FORETICK_PROMOTE_BARS": ("99", 99),
    "FORETICK_RETRAIN_COOLDOWN_HOURS": ("6", 6.0),
    "FORETICK_MODEL_EXPIRY_DAYS": ("7", 7.0),
}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The folder of the passwords, as the service `secrets` writes it."""
    write(tmp_path, {}, Owners(foretick=os.geteuid(), redis=os.geteuid()))
    return tmp_path


def told(name: str, environment: dict[str, str], secrets: Path) -> dict[str, str]:
    """Return a service's environment as compose makes it of the user's."""

    def filled(match: re.Match[str]) -> str:
        return environment.get(match[1]) or match[2]

    return {
        key: re.sub(r"\$\{(\w+):-([^}]*)\}", filled, str(value)).replace("/secrets/", f"{secrets}/")
        for key, value in SERVICES[name]["environment"].items()
    }


@pytest.mark.parametrize("name", OURS)
def test_each_service_of_ours_gets_every_setting(name: str) -> None:
    passed = {f"FORETICK_{setting.upper()}" for setting in Settings.model_fields if setting not in PLACES}
    assert {key for key in SERVICES[name]["environment"] if key.startswith("FORETICK_")} == passed | {
        *("FORETICK_KAFKA", "FORETICK_DATABASE_URL_FILE", "FORETICK_REDIS_URL_FILE", "FORETICK_MLFLOW_URI_FILE"),
        *("FORETICK_METRICS_PORT", "FORETICK_METRICS_ADDRESS"),
    }
    assert {key: SERVICES[name]["environment"][key] for key in passed} == {
        key: f"${{{key}:-{OTHERS.get(key, '')}}}" for key in passed
    }


@pytest.mark.parametrize(
    "page", ["docs/tasks.md", "docs/concepts.md", "docs/why.md", "docs/FORMATS.md", "docs/FEATURES.md"]
)
def test_every_setting_named_in_the_docs_reaches_the_containers(page: str) -> None:
    named = set(re.findall(r"FORETICK_[A-Z_]*[A-Z]", (ROOT / page).read_text()))
    places = {f"FORETICK_{setting.upper()}" for setting in PLACES}
    of_the_script = {"FORETICK_TORCH_INDEX"}  # ./foretick installs no packages in a container
    assert named <= set(SERVICES["worker"]["environment"]) | places | of_the_script


def test_what_a_user_sets_is_what_a_component_reads(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = {name: text for name, (text, _) in EXAMPLES.items()}
    for key, value in told("watch", user, secrets).items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    assert {name: getattr(settings, name.removeprefix("FORETICK_").lower()) for name in EXAMPLES} == {
        name: value for name, (_, value) in EXAMPLES.items()
    }


def test_what_a_user_leaves_out_is_the_default(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in told("watch", {}, secrets).items():
        monkeypatch.setenv(key, value)
    settings, fields = Settings(), Settings.model_fields
    changed = {name for name in fields if name not in PLACES and getattr(settings, name) != fields[name].default}
    assert changed == {"hosts", "log_format", "mlflow_page"}


def test_every_variable_of_the_compose_file_is_a_setting() -> None:
    named = set(re.findall(r"FORETICK_[A-Z_]*[A-Z]", TEXT))
    assert [name for name in sorted(named) if list(unknown_variables({name: "x"}, names(Settings.model_fields)))] == []


def test_without_the_sample_none_is_replayed() -> None:
    sample.replay_rest(Settings(sample=False, kafka="127.0.0.1:1"))  # no Kafka is there to take it
