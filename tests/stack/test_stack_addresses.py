"""Which ports are chosen, and how they are written down."""

import json
import os
import socket
import stat
import subprocess
import sys

from settings import ROOT, Settings
from stack import addresses
from stack.addresses import HOST, USUAL, Addresses

CHOSEN = Addresses(
    kafka="127.0.0.1:1",
    database_url="postgresql://foretick:secret@127.0.0.1:2/foretick",
    redis_url="redis://default:s@h:3/0",
    mlflow_uri="http://127.0.0.1:6",
    dashboard_port=4,
    kafka_controller_port=5,
    api_port=7,
    metrics_ports={"worker": 8},
    kafka_user="foretick",
    kafka_password="hidden",  # noqa: S106 - of nobody
    kafka_security="SASL_PLAINTEXT",
    kafka_open_port=9,
)


def listening() -> socket.socket:
    taken = socket.socket()
    taken.bind((HOST, 0))
    taken.listen()
    return taken


def test_the_port_of_the_last_run_is_kept_when_it_is_free():
    with listening() as other:
        free = other.getsockname()[1]
    assert addresses.choose("kafka", free, set()) == free


def test_another_port_is_chosen_when_the_last_one_is_taken():
    with listening() as other:
        taken = other.getsockname()[1]
        assert addresses.choose("kafka", taken, set()) != taken


def test_two_supervisors_that_start_at_once_take_different_ports(tmp_path):
    """Whatever another user has put into the shared temporary folder."""
    (tmp_path / f"foretick-ports-{os.getuid()}").write_text("where a folder of locks could have been")
    with listening() as other:
        port = other.getsockname()[1]
    script = f"from stack.addresses import choose; print(choose('kafka', {port}, set()), flush=True)"
    script += "; import sys; sys.stdin.read()"

    def supervisor() -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        command = [sys.executable, "-W", "always::ResourceWarning", "-c", script]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)

    with supervisor() as first, supervisor() as second:
        assert first.stdout is not None
        assert second.stdout is not None
        taken = int(first.stdout.readline()), int(second.stdout.readline())
        assert taken[0] != taken[1]
        assert port in taken
        for process in (first, second):
            assert process.communicate()[1] == b""  # and nothing is left open that Python would have to close
    assert addresses.choose("kafka", port, set()) == port


def test_no_port_is_given_twice():
    given: set[int] = set()
    first = addresses.choose("kafka", None, given)
    assert addresses.choose("kafka", first, given) != first
    assert first in given


def test_a_port_on_which_somebody_listens_is_not_free():
    with listening() as other:
        port = other.getsockname()[1]
        assert not addresses.is_free(port)
    assert addresses.is_free(port)


def test_the_ports_written_down_are_found_again_and_read_by_settings(tmp_path, monkeypatch):
    for name in ("KAFKA", "DATABASE_URL", "REDIS_URL", "MLFLOW_URI", "DASHBOARD_PORT", "API_PORT"):
        monkeypatch.delenv(f"FORETICK_{name}", raising=False)
    addresses.write(tmp_path, CHOSEN)
    assert addresses.previous_ports(tmp_path) == dict(zip(USUAL, (9, 1, 5, 2, 3, 6, 4, 7), strict=True))
    settings = Settings(home=tmp_path)
    assert settings.kafka == CHOSEN.kafka
    assert settings.broker.client()["sasl_plain_password"] == CHOSEN.kafka_password
    assert settings.kafka_open_port == CHOSEN.kafka_open_port
    assert settings.database_url.get_secret_value() == CHOSEN.database_url
    assert settings.mlflow_uri.get_secret_value() == CHOSEN.mlflow_uri
    assert settings.dashboard_port == CHOSEN.dashboard_port
    assert settings.api_port == CHOSEN.api_port
    assert settings.metrics_ports == addresses.previous_metrics(tmp_path) == CHOSEN.metrics_ports


def test_the_listener_of_a_version_without_users_is_the_one_for_everybody(tmp_path):
    (tmp_path / "addresses.json").write_text(json.dumps({"kafka": "127.0.0.1:21000", "kafka_controller_port": 5}))
    values = addresses.previous_ports(tmp_path)
    assert (values["kafka"], values["kafka_sasl"], values["kafka_controller"]) == (21000, None, 5)


def test_only_the_owner_may_read_the_addresses(tmp_path):
    addresses.write(tmp_path, CHOSEN)
    assert stat.S_IMODE((tmp_path / "addresses.json").stat().st_mode) == 0o600


def test_addresses_that_cannot_be_read_are_as_none(tmp_path):
    (tmp_path / "addresses.json").write_text('{"kafka": "nonsense:port", "database_url": 7, "redis_url": null, "dash')
    assert set(addresses.previous_ports(tmp_path).values()) == {None}
    (tmp_path / "addresses.json").write_text(json.dumps({"kafka": "nonsense:port", "database_url": 7}))
    assert set(addresses.previous_ports(tmp_path).values()) == {None}


def test_a_shown_url_has_no_password():
    assert addresses.without_password(CHOSEN.database_url) == "postgresql://foretick@127.0.0.1:2/foretick"
    assert addresses.without_password("redis://:secret@127.0.0.1:3/0") == "redis://127.0.0.1:3/0"
    assert addresses.without_password("redis://127.0.0.1:3/0") == "redis://127.0.0.1:3/0"
