"""The comparison of engines: what they compute, how they are judged, and that those of our own packages are right."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.forecast_environment import made
from bench.rounds import ADDED, summary
from bench.stream.__main__ import SINGLE, chosen, compared, loads
from bench.stream.broker import shared_broker
from bench.stream.engines.ceiling import padding
from bench.stream.environment import ENGINES, LOCKS, Engine
from bench.stream.market import arrivals, frames, judged, right, rows_of, ticks
from bench.stream.measure import Load, measure
from bench.stream.table import tables
from bench.stream.work import State, step, step_all


def test_the_indicators_are_what_pandas_finds() -> None:
    prices = pd.Series(100.0 + np.random.default_rng(3).normal(size=200).cumsum())
    state: State | None = None
    rows = []
    for price in prices:
        state, values = step(state, price)
        rows.append(values)
    results = pd.DataFrame(rows)
    ema = {span: prices.ewm(span=span, adjust=False).mean() for span in (12, 26)}
    macd = ema[12] - ema[26]
    change = prices.diff().fillna(0.0)
    gain, loss = (part.ewm(alpha=1 / 14, adjust=False).mean() for part in (change.clip(lower=0), -change.clip(upper=0)))
    expected = {
        "ema_12": ema[12],
        "macd": macd,
        "mean_20": prices.rolling(20, min_periods=1).mean(),
        "deviation_20": prices.rolling(20, min_periods=1).std(ddof=0),
    }
    for name, column in expected.items():
        np.testing.assert_allclose(results[name], column, rtol=1e-9, atol=1e-9, err_msg=name)
    # From the first move on; the signal begins at 0 as pandas' does, whose first MACD is 0.
    np.testing.assert_allclose(results["rsi_14"][1:], (100 * gain / (gain + loss))[1:], rtol=1e-9)
    np.testing.assert_allclose(results["macd_signal"], macd.ewm(span=9, adjust=False).mean(), rtol=1e-9, atol=1e-12)


def test_what_is_twice_wrong_or_missing_is_counted() -> None:
    expected = right(2, 6)
    rows: list[Any] = [dict(one) for one in expected.values()]
    values = [json.dumps(rows[:3]).encode(), *(json.dumps(one).encode() for one in rows[2:5])]
    assert judged(values, expected) == {"duplicates": 1, "wrong": 0, "missing": 1}
    rows[5]["rsi_14"] += 1e-6
    assert judged([json.dumps(rows).encode()], expected) == {"duplicates": 0, "wrong": 1, "missing": 0}
    del rows[5]["rsi_14"]
    assert judged([json.dumps(rows).encode()], expected)["wrong"] == 1
    unknown = json.dumps({**rows[0], "time": 7}).encode()
    assert judged([*values, unknown], expected) == {"duplicates": 1, "wrong": 1, "missing": 1}


def test_ticks_go_on_where_they_ended_and_frames_hold_them_all() -> None:
    assert [tick["time"] for tick in ticks(2, 2, 2)] == [tick["time"] for tick in ticks(2, 0, 4)][2:]
    framed = [one for key, value in frames(2, 4, 12, 3) for one in rows_of(value) if one["symbol"].encode() == key]
    wanted = list(ticks(2, 4, 12))
    assert sorted(map(str, framed)) == sorted(map(str, wanted))
    states: dict[str, State] = {}
    assert step_all(states, list(ticks(2, 0, 6))) == list(right(2, 6).values())


def test_a_row_arrives_when_it_came_first() -> None:
    (key, one), *_ = right(1, 1).items()
    value = json.dumps(one).encode()
    assert arrivals([2.0, 3.0], [value, value]) == {key: 2.0}


def test_the_ceiling_writes_as_much_as_the_engines() -> None:
    written = json.dumps(list(right(1, 100).values())[-1])
    (_, read), *_ = frames(1, 0, 1, 1)
    assert abs(len(read) + padding() - len(written)) < 40
    assert json.loads(read + b" " * padding()) == json.loads(read)


def test_only_what_answers_frames_is_given_frames_and_all_are_whole() -> None:
    assert [*loads(1_001, 2, (500,), frames=True)] == ["single", "framed", "500/s"]
    assert [*loads(1_001, 2, (), frames=False)] == ["single"]
    assert loads(1_001, 2, (), frames=True)["single"].ticks == 1_020
    assert loads(1_001, 2, (), frames=True)["framed"].ticks % (20 * 200) == 0


def test_figures_are_medians_and_wrong_rows_are_added_up() -> None:
    rounds = [{SINGLE: {"rows_per_second": speed}, "wrong": 1} for speed in (3, 1, 2)]
    assert summary(rounds) == {SINGLE: {"rows_per_second": 2}, "wrong": 3}


def test_an_engine_is_chosen_by_its_name_or_its_program() -> None:
    assert [one.program for one in chosen(["csp", "quix", "Quix Streams"])] == ["csp_graph", "quix"]
    assert chosen([]) == ENGINES
    with pytest.raises(ValueError, match="no engine spark; there are: ceiling, "):
        chosen(["spark"])


def test_each_engine_has_a_program_a_version_and_a_lock_with_hashes_and_no_address() -> None:
    for engine in ENGINES:
        assert (LOCKS.parent / "engines" / f"{engine.program}.py").exists()
        assert re.fullmatch(rf"{engine.package} \d[\w.]+", engine.version())
    locks = sorted(LOCKS.glob("*.lock"))
    assert {path.stem for path in locks} == {engine.package for engine in ENGINES if engine.apart}
    for path in locks:
        pinned = re.findall(r"^[\w.-]+==.*$", path.read_text(), re.MULTILINE)
        assert pinned
        assert all(line.endswith("\\") for line in pinned), path
        assert "://" not in path.read_text()


def test_packages_that_cannot_be_installed_are_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, lock = tmp_path / "uv", tmp_path / "none.lock"
    program.write_text("#!/bin/sh\nprintf 'error: no wheel\\n  for this Python\\n' >&2\nexit 2\n")
    program.chmod(0o755)
    lock.write_text("none==1\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match=r"^none.lock cannot be installed: error: no wheel for this Python$"):
        made(lock, tmp_path / "environment")


def test_the_tables_have_each_engine_what_it_cannot_hold_and_why_one_was_not_measured() -> None:
    late = {"p50_ms": 1.0, "p99_ms": 2.0, "p99.9_ms": 3.0, "seconds_behind_at_the_end": 0.1}
    single = {"rows_per_second": 1234.0, "cpu_seconds_per_100000": 1.5, "broker_cpu_seconds_per_100000": 0.5}
    good = {"version": "a 1", SINGLE: single, "500/s": late, "peak_memory_mib": 9, **dict.fromkeys(ADDED, 0)}
    slow = {**good, "500/s": {**late, "seconds_behind_at_the_end": 7.0}}
    text = tables(
        {"good": good, "slow": slow, "none": {"version": "b 2", "not_measured": "no wheel | for\nthis Python"}}
    )
    assert "| good | a 1 | 1,234 | 1.50 | - | - | 0.50 | 9 | 0 | 0 | 0 |" in text
    assert "| good | 1.0, 2.0, 3.0 |" in text
    assert "| slow | cannot hold it: 7.0 s behind at the end |" in text
    assert "| none | b 2 | not measured: no wheel / for this Python |" in text
    assert len({line.count("|") for line in text.splitlines()[:5]}) == 1


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_engines_of_our_own_packages_write_every_row_right_and_a_failing_one_has_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    engines = [one for one in ENGINES if not one.apart]
    broken = Engine("broken", "no_such_program", "aiokafka")
    figures = compared([*engines, broken], 1, 1_000, 1.0, (100.0,))
    for engine in engines:
        assert {name: figures[engine.name][name] for name in ADDED} == dict.fromkeys(ADDED, 0), engine
        assert figures[engine.name]["100/s"]["rows"] > 50
    assert figures["broken"]["not_measured"].startswith("it ended: 0 of 800 rows came; ")
    assert "no_such_program" in figures["broken"]["not_measured"]
    assert "| broken | " in tables(figures)
    assert "broken: it ended" in capsys.readouterr().err


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_rows_are_right_in_frames_too() -> None:
    with shared_broker() as broker:
        foretick = next(one for one in ENGINES if one.name == "foretick")
        figures = measure(foretick, {"framed": Load(ticks=2_000, rows=50)}, broker)
        assert {name: figures[name] for name in ADDED} == dict.fromkeys(ADDED, 0)
