"""What a soak is judged by: each thing that may go wrong is found."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.soak.errors import errors, explained
from bench.soak.figures import SLACK_MIB, WORKED_OFF, Figures, Look, figures, findings
from bench.soak.market import MINUTE_MS, written
from bench.soak.run import run
from sources.reading.bars import read_bars
from stack.sample import FILES

MINUTES = 8.0
SLOW = (200.0, 280.0)


def looks(grown_mib: float = 0.0, behind: int | None = 0, restarts: int = 0) -> list[Look]:
    """Return a look every ten seconds; from the third quarter on memory has grown, and `behind` holds after the end."""
    results = []
    for at in range(0, 500, 10):
        slow = SLOW[0] <= at <= SLOW[1]
        late = 900 if slow else (behind if at > SLOW[1] else 20)
        memory = {"worker": 240.0 + (grown_mib if at >= 360 else 0.0)}
        results.append(
            Look(
                at=float(at),
                memory=memory,
                behind=late,
                restarts=restarts,
                unwell={"persist": "lagging"} if slow else {},
            )
        )
    return results


def told(results: list[Look]) -> Figures:
    """Return the figures of a run in which everything else is well."""
    return replace(figures(results, MINUTES, "300x", SLOW), streamed=1, pulled=int(MINUTES))


def test_a_run_that_went_well_has_no_findings() -> None:
    result = told(looks())
    assert findings(result, ["worker"]) == []
    assert result.memory == {"worker": [240.0] * 4}
    assert (result.lag_most_while_slow, result.worked_off_s) == (900, 10.0)
    assert result.unwell == {"persist lagging": 9}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (told(looks(grown_mib=0.1 * 240 + SLACK_MIB + 1)), "worker: 281 MiB in the last quarter, 240 in the second"),
        (told(looks(behind=WORKED_OFF + 1)), "the lag was never again 200 records or less after the database was slow"),
        (told(looks(behind=None)), "the lag was never again 200 records or less after the database was slow"),
        (told(looks(restarts=1)), "1 restarts"),
        (replace(told(looks()), unexplained={"worker: it broke": 2}), "2 times unexplained: worker: it broke"),
        (replace(told(looks()), missing=["bars: 1 where 2 were to be"]), "bars: 1 where 2 were to be"),
        (
            replace(told(looks()), lag_most_while_slow=20),
            "the database was not slow enough to be felt: nothing was shown",
        ),
        (replace(told(looks()), streamed=0), "the API streamed 0 events, the page was shown 8 times"),
    ],
)
def test_whatever_is_wrong_is_a_finding(wrong: Figures, says: str) -> None:
    assert findings(wrong, ["worker"]) == [says]


def test_a_page_that_stands_still_is_a_finding() -> None:
    wrong = replace(told(looks()), pulled=int(MINUTES) - 1)
    assert findings(wrong, ["worker"]) == ["the API streamed 1 events, the page was shown 7 times"]


def test_a_component_without_memory_figures_is_a_finding() -> None:
    assert findings(told(looks()), ["worker", "api"]) == ["api: its memory was not seen"]


def test_the_errors_of_the_logs_are_found_and_only_the_known_ones_explained(tmp_path: Path) -> None:
    lines = {
        "worker.log": "2026-11-30 01:51:51,682 INFO foretick fine\n2026-11-30 01:51:51,682 ERROR foretick 3 broke\n",
        "persist.log": "Traceback (most recent call last):\n  File x\nKeyError: 7\n",
        "postgres.log": '2026 [12] ERROR:  functionality not supported under the current "apache" license. Learn\n',
        "kafka.log": "[2026-11-30] ERROR disk 1\n[2026-11-30] ERROR disk 2\n",
    }
    for name, text in lines.items():
        (tmp_path / name).write_text(text)
    known, unknown = explained(errors(tmp_path))
    assert list(known.values()) == [1]
    assert unknown == {
        "worker: foretick N broke": 1,
        "persist: traceback, KeyError: N": 1,
        "kafka: disk N": 2,
    }


def test_the_soaks_market_goes_on_from_the_samples_last_bars(tmp_path: Path) -> None:
    files = written(300, tmp_path)
    sample = list(read_bars(FILES, "1m"))
    for before, after in zip(sample, read_bars(files, "1m"), strict=True):
        assert (after.symbol, len(after)) == (before.symbol, 300)
        assert after.time[0] == before.time[-1] + MINUTE_MS
        assert after.open[0] == pytest.approx(before.close[-1])
        assert after.close[-1] / after.open[0] == pytest.approx(before.close[299] / before.open[0])
    with pytest.raises(ValueError, match="the sample has"):
        written(len(sample[0]) + 1, tmp_path)


@pytest.mark.long
@pytest.mark.services
@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_short_soak_stores_every_row_and_no_error_is_unexplained() -> None:
    """Memory says nothing in so short a time, and the database is slow for seconds only."""
    result = run(1.5)
    assert (result.missing, result.unexplained, result.restarts) == ([], {}, 0)
    assert result.worked_off_s is not None
    assert result.streamed
    assert result.pulled
