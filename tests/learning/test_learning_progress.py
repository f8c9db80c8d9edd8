"""A run's own messages: they are kept in its folder, and tell how far it is and how long the rest takes."""

from pathlib import Path

from learning.pipeline import STEPS
from learning.runs import run_log
from learning.runs.progress import Progress, progress
from learning.runs.records import STEP_NAMES
from learning.runs.run_log import LogLine

EPOCH = "lstm: epoch {} of 10: loss 0.900000, held out 0.950000"


def lines(*words: str, every_s: int = 10) -> list[LogLine]:
    return [LogLine(place * every_s * 1_000, one) for place, one in enumerate(words)]


def test_the_steps_that_are_shown_are_those_of_the_pipeline() -> None:
    assert tuple(STEPS) == STEP_NAMES


def test_what_is_told_is_kept_with_its_time_and_passed_on(tmp_path: Path) -> None:
    told: list[str] = []
    tell = run_log.writing(tmp_path / "run", told.append)
    for words in ("train", "a\nb"):
        tell(words)
    assert told == ["train", "a\nb"]
    kept = run_log.tail(tmp_path / "run")
    assert [line.words for line in kept] == ["train", "a\\nb"]
    assert kept[0].time <= kept[1].time
    assert run_log.tail(tmp_path / "none") == []


def test_a_log_that_cannot_be_written_ends_no_training(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    told: list[str] = []
    run_log.writing(tmp_path / "run", told.append)("train")
    assert told == ["train"]


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    tell = run_log.writing(tmp_path, lambda _: None)
    for number in range(2_000):
        tell(f"message {number}")
    kept = run_log.tail(tmp_path)
    assert 1_000 < len(kept) < 2_000
    assert kept[-1].words == "message 1999"


def test_the_time_left_is_by_the_fits_own_pace() -> None:
    known = lines("train", "fitting lstm", EPOCH.format(1), EPOCH.format(2))
    assert progress(known, 30_000) == [Progress("lstm epochs", 2, 10, 80.0)]
    assert progress(known, 40_000)[0].left_s == 70.0
    assert progress(known, 10_000_000)[0].left_s == 0.0


def test_a_second_fit_of_the_same_model_has_a_pace_of_its_own() -> None:
    known = lines("fold 1", *map(EPOCH.format, range(1, 11)), "fold 2", EPOCH.format(1), EPOCH.format(2))
    assert progress(known, known[-1].time)[0] == Progress("lstm epochs", 2, 10, 80.0)


def test_where_the_beginning_is_not_in_the_log_the_time_left_is_unknown() -> None:
    assert progress(lines(EPOCH.format(4), EPOCH.format(5)), 10_000) == [Progress("lstm epochs", 5, 10, None)]


def test_models_that_are_fitted_are_counted_and_an_ended_fit_is_not_shown() -> None:
    known = lines("train", EPOCH.format(10), "lstm is fitted (1 of 4, about 3 min left)")
    assert progress(known, known[-1].time) == [Progress("models", 1, 4, 60.0)]
    known += [LogLine(30_000, "gbm: round 3 of 40, 05 bars ahead: loss 0.900000, held out 0.950000")]
    assert progress(known, known[-1].time)[1] == Progress("gbm rounds, 05 bars ahead", 3, 40, None)
