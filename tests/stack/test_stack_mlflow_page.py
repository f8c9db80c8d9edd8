"""The page of MLflow opens on our runs; what it asks the browser is set before it starts."""

from pathlib import Path

import mlflow
import pytest

from settings import Settings
from stack.mlflow_page import address, links, page

HTML = "<html><head><title>MLflow</title></head></html>"


def test_the_page_opens_on_the_experiments_runs() -> None:
    assert 'location.replace("#/experiments/7/runs?workflowType=machine_learning")' in page(HTML, "7")
    assert 'location.replace("#/experiments?workflowType=machine_learning")' in page(HTML, None)
    assert page(HTML, "7").endswith("<title>MLflow</title></head></html>")


def test_our_script_comes_before_mlflows_own() -> None:
    html = (Path(mlflow.__file__).parent / "server/js/build/index.html").read_text()
    assert page(html, "1").index("localStorage") < page(html, "1").index("<script defer")


def test_the_links_name_no_password_and_no_user() -> None:
    assert links("http://foretick:secret@127.0.0.1:5000", "/home/mlflow.password") == (
        "runs http://127.0.0.1:5000   registered models http://127.0.0.1:5000/#/models?workflowType=machine_learning   "
        "user foretick, the password is in /home/mlflow.password"
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, None),
        ({"FORETICK_MLFLOW_URI": "http://foretick:secret@127.0.0.1:5000"}, "http://127.0.0.1:5000"),
        ({"FORETICK_MLFLOW_URI": "sqlite:///runs.db"}, None),
        (
            {"FORETICK_MLFLOW_URI": "http://a:b@mlflow:5000", "FORETICK_MLFLOW_PAGE": "https://mlflow.example/x"},
            "https://mlflow.example/x",
        ),
        ({"FORETICK_MLFLOW_PAGE": "https://me:secret@mlflow.example"}, "https://mlflow.example"),
    ],
)
def test_a_browser_is_led_to_a_server_that_is_configured(
    fields: dict[str, str], text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    for name in ("FORETICK_MLFLOW_URI", "FORETICK_MLFLOW_PAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in fields.items():
        monkeypatch.setenv(name, value)
    assert address(Settings()) == text
