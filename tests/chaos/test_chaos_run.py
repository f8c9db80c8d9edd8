"""The chaos suite in its short form: five faults on the whole stack, every row as in a run that nothing disturbed."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.chaos import check
from bench.chaos.__main__ import good
from bench.chaos.crash_points import RARE
from bench.chaos.page import PAGE, page, saved
from bench.chaos.run import Figures, run

FAULTS = ("worker killed", "killed after state written", "several", "rollback", "killed after rows stored")
SEED = 13


@pytest.mark.long
@pytest.mark.services
@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_every_row_is_there_after_five_faults_on_the_whole_stack(tmp_path: Path) -> None:
    figures = run(SEED, len(FAULTS), 1.5, tmp_path, FAULTS)
    assert len(figures.done) == len(FAULTS)
    assert figures.differences == []
    assert figures.double_champions == 0
    assert {"crash: state written", "crash: rows stored", "rollback between two bars"} <= set(figures.reached)


def test_a_row_that_misses_and_one_that_changed_are_told_once_each(tmp_path: Path) -> None:
    rows = {"found": "a\t1\nc\t4\n", "expected": "a\t1\nb\t2\nc\t3\n"}
    for name, text in rows.items():
        (tmp_path / name).mkdir()
        for table in check.COMPARED:
            (tmp_path / name / table).write_text(text if table == "bars" else "same\n")
    (line,) = check.differences(tmp_path / "found", tmp_path / "expected")
    assert line.startswith("bars: 3 rows differ, 2 missing, 1 more: missing 'b\\t2'; more 'c\\t4'")


def test_the_page_is_made_of_the_runs_that_are_kept() -> None:
    assert PAGE.read_text() == page(saved())


def test_a_run_is_not_good_where_a_rare_state_was_not_reached_or_a_row_differs() -> None:
    figures = Figures(seed=1, minutes=30.0, faults=50, reached=list(RARE))
    assert good(figures, figures.wanted)
    assert not good(replace(figures, reached=list(RARE)[1:]), figures.wanted)
    assert not good(replace(figures, differences=["bars: 1 rows differ"]), figures.wanted)
    assert not good(replace(figures, double_champions=1), figures.wanted)
