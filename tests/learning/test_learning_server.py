"""MLflow's server as the stack runs it, and as the commands find it."""

import asyncio
import base64
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import psycopg
import pytest
from stacks import running

from cli.train import train
from learning.tracking.registered_versions import numbers
from learning.tracking.tracker import Tracker
from models.registry import model_registry
from settings import Settings
from stack import mlflow, state
from stack.addresses import without_password
from stack.doctor import examine
from stack.status_report import report

pytestmark = pytest.mark.services


def test_the_passwords_are_in_no_process_list_and_no_log(mlflow_server):
    server = state.read(mlflow_server.home).components["mlflow"]
    with psycopg.connect(mlflow_server.database_url) as connection:
        passwords = connection.info.password, urlsplit(mlflow_server.mlflow_uri).password
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'mlflow'").fetchone()
    assert tables is not None
    assert tables[0] > 20
    for process in psutil.process_iter(["cmdline"]):
        assert not any(password in " ".join(process.info["cmdline"] or ()) for password in passwords)
    for log in (mlflow_server.home / "logs").glob("*.log"):
        assert not any(password in log.read_text() for password in passwords)
    assert psutil.Process(server.pid).children() == []


def test_pages_of_other_sites_are_refused(mlflow_server):
    parts = urlsplit(mlflow_server.mlflow_uri)
    login = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    headers = {"Host": "elsewhere.example", "Authorization": f"Basic {login}"}
    address = f"{Tracker(mlflow_server.mlflow_uri).uri}/api/2.0/mlflow/experiments/search?max_results=1"
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - http, loopback
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)  # noqa: S310 - likewise


def test_a_server_of_somebody_else_is_checked_and_not_started(mlflow_server, monkeypatch):
    uri = mlflow_server.mlflow_uri
    with running(("mlflow",), environment={"FORETICK_MLFLOW_URI": uri}) as stack:
        status = state.read(stack.home).components["mlflow"]
        assert (status.external, status.pid, status.address) == (True, None, without_password(uri))
        assert stack.mlflow_uri == uri
        monkeypatch.setenv("FORETICK_HOME", str(stack.home))
        monkeypatch.setenv("FORETICK_MLFLOW_URI", uri)
        assert report(Settings()).addresses["mlflow"] == without_password(uri)
        checks = {check.name: check for check in examine(Settings())}
    assert checks["mlflow"].status == "ok"
    assert checks["mlflow"].detail.startswith("MLflow 3.")
    wrong = uri.replace(str(urlsplit(uri).password), "guess")
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        asyncio.run(mlflow.check(wrong))
    refused.value.close()


def test_what_is_no_address_of_a_server_is_said_in_a_line():
    with pytest.raises(ValueError, match="'databricks' is not an address of an MLflow server, such as http"):
        asyncio.run(mlflow.check("databricks"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of minutes."""
    path = tmp_path_factory.mktemp("train") / "MINTUSDT-1m.csv"
    close = 100 * np.exp(1e-3 * np.cumsum(np.random.default_rng(1).standard_normal(2_880)))
    times = 1_700_000_040_000 // 60_000 * 60_000 + 60_000 * np.arange(len(close))
    both = zip(times.tolist(), close.tolist(), strict=True)
    rows = (f"{time},{price},{price},{price},{price},1.0\n" for time, price in both)
    path.write_text("time,open,high,low,close,volume\n" + "".join(rows))
    return path


def trained(file: Path, track: bool = True) -> None:
    train([file], rows_until=None, interval=None, model=["online"], seed=0, track=track, as_json=True)


def test_train_logs_and_registers_what_it_trained(mlflow_server, file, tmp_path, monkeypatch):
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    monkeypatch.setenv("FORETICK_MLFLOW_URI", mlflow_server.mlflow_uri)
    tracker = Tracker(mlflow_server.mlflow_uri)

    def versions() -> set[str]:
        return set(tracker.call(lambda client: numbers(client, "online")) or ())

    before = versions()
    trained(file, track=False)
    assert versions() == before
    trained(file)
    assert versions() - before == set(model_registry.versions(tmp_path / "models", "online"))


def test_without_a_server_train_says_so_in_a_line_and_trains(file, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    monkeypatch.setenv("FORETICK_MLFLOW_URI", "http://127.0.0.1:1")
    trained(file)
    assert "MLflow at http://127.0.0.1:1: no answer; not tracked" in " ".join(capsys.readouterr().err.split())
    assert model_registry.versions(tmp_path / "models", "online")
    monkeypatch.delenv("FORETICK_MLFLOW_URI")
    trained(file)
    assert "MLflow" not in capsys.readouterr().err
