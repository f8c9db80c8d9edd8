"""`foretick pipeline`: a run over files, the runs and their steps as tables and JSON, and one line for each mistake."""

from collections.abc import Iterator

import msgspec
import pytest
from pipelines import persisted, train
from stacks import Servers, kafka_environment
from typer.testing import CliRunner, Result

from cli.errors import UserError
from cli.pipeline import app
from learning.deployment.announce import announce
from learning.pipeline import STEPS
from settings import Settings
from stack.sample import FILES

pytestmark = [pytest.mark.services, pytest.mark.slow]
NAIVE = ["--model", "naive"]


@pytest.fixture(scope="module")
def home(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The naive model in service, which is trained in no time, and a run that is done."""
    train(trained := tmp_path_factory.mktemp("trained") / "models")
    with persisted(servers, tmp_path_factory.mktemp("home"), trained, ("naive",)) as settings:
        announce(settings)
        yield settings


@pytest.fixture(autouse=True)
def environment(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(home.home))
    for name, value in kafka_environment(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FORETICK_DATABASE_URL", home.database_url.get_secret_value())
    monkeypatch.setenv("FORETICK_MLFLOW_URI", home.mlflow_uri.get_secret_value())


def said(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_run_over_files_is_reported_listed_and_shown() -> None:
    done = said("run", *map(str, FILES), "--days", "8", *NAIVE, "--json")
    assert done.exit_code == 0, done.output
    report = msgspec.json.decode(done.stdout)
    assert (report["run"]["state"], [one["model"] for one in report["models"]]) == ("done", ["naive"])
    assert report["run"]["options"]["files"] == [str(path) for path in FILES]
    run_id = report["run"]["run_id"]
    listed = msgspec.json.decode(said("list", "--json").stdout)
    assert run_id in [run["run_id"] for run in listed]
    shown = msgspec.json.decode(said("show", run_id, "--json").stdout)
    assert [step["step"] for step in shown["steps"] if step["model"] is None] == [
        name for name in STEPS if name not in ("tune", "train", "deploy")
    ]
    assert run_id in said("list").stdout
    page = said("show", run_id).stdout
    assert all(name in page for name in ("train", "naive", "evaluate", "done"))
    with pytest.raises(UserError, match=f"run {run_id} is done"):
        raised(said("run", "--run-id", run_id))


def test_a_run_that_fails_ends_with_exit_code_one() -> None:
    failed = said("run", "--days", "3", *NAIVE)
    assert failed.exit_code == 1
    assert "check: 3.0 days of 1m bars: at least 7 are needed" in " ".join(failed.stdout.split())


def raised(result: Result) -> None:
    """Raise what a command has raised, which `foretick` tells in one line."""
    assert result.exception is not None
    raise result.exception


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("run", "--model", "oracle"), "there is no model 'oracle': there are"),
        (("run", "/nowhere/bars.csv"), "/nowhere/bars.csv: no such file"),
        (("run", "--run-id", "x"), "no run 'x'; foretick pipeline list shows them"),
        (("show", "x"), "no run 'x'; foretick pipeline list shows them"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], line: str) -> None:
    with pytest.raises(UserError, match=line) as caught:
        raised(said(*arguments))
    assert "\n" not in str(caught.value)


def test_without_a_database_one_is_told_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/x")
    for arguments in (("run", *NAIVE), ("list",)):
        with pytest.raises(UserError, match="is it running\\? foretick up") as caught:
            raised(said(*arguments))
        assert "secret" not in str(caught.value)
