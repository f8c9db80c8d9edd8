"""Which bars are built from ticks is one line of the environment; what is wrong with it, one line of answer."""

import pytest
from pydantic import ValidationError

from cli.main import run
from settings import Settings


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("", ()),
        ("tick-500", ("tick-500",)),
        (" tick-500, dollar-1000000 ,volume-0.5", ("tick-500", "dollar-1000000", "volume-0.5")),
        ("range-10,tick-5,range-10", ("range-10", "tick-5")),
    ],
)
def test_further_bars_are_named_with_commas(monkeypatch: pytest.MonkeyPatch, text: str, bars: tuple[str, ...]) -> None:
    monkeypatch.setenv("FORETICK_BARS", text)
    assert Settings().bars == bars


def test_none_are_built_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORETICK_BARS", raising=False)
    assert Settings().bars == ()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("BARS", "tick-500,tick-0", "interval 'tick-0' is none of 1m (s, h, d), tick-500, dollar-1000000, volume-2.5"),
        ("BARS", "tick-500,", "interval '' is none of"),
        ("BARS", "dollar-1e6", "interval 'dollar-1e6' is none of"),
        ("BARS", "5m", "'5m' is an interval of time: FORETICK_INTERVAL"),
        ("INTERVAL", "tick-500", "interval 'tick-500' is not a whole number followed by s, m, h or d"),
    ],
)
def test_a_wrong_value_is_answered_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, text: str, reason: str
) -> None:
    monkeypatch.setenv(f"FORETICK_{name}", text)
    with pytest.raises(ValidationError):
        Settings()
    monkeypatch.setattr("sys.argv", ["foretick", "logs", "worker"])
    with pytest.raises(SystemExit) as ended:
        run()
    answer = capsys.readouterr().err
    assert ended.value.code == 2
    assert answer.startswith(f"foretick: FORETICK_{name}: {reason}")
    assert answer.count("\n") == 1
