"""Whether there is a forecast is told by what is stored: where nothing is, none is claimed."""

import time

import pytest

from cli import stack
from stack.first_forecast import wait_for_forecast

NOWHERE = "postgresql://127.0.0.1:1/nowhere"


def test_an_unreachable_database_gives_no_first_forecast() -> None:
    assert wait_for_forecast(NOWHERE, 0.0) is None


def test_without_a_forecast_the_command_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETICK_DATABASE_URL", NOWHERE)
    monkeypatch.setenv("FORETICK_SAMPLE", "false")
    stack.tell_of_forecast(time.monotonic())
    assert capsys.readouterr().out == (
        "no forecast yet, as there are no bars: foretick replay FILE, or foretick live\n"
    )
