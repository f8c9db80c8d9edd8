"""What was persisted is read back as it was sent, to train on."""

from collections.abc import Iterator

import pytest
from learning_bars import DAY, FIRST, new_database, persist, replayed, same
from stacks import Servers

from learning.training import history
from settings import Settings
from sources.reading.bars import read_bars
from stack.sample import FILES
from storage.errors import StorageError
from topics.records import Bar

pytestmark = pytest.mark.services
MINUTE = 60_000


@pytest.fixture(scope="module")
def stored(servers: Servers) -> Iterator[Settings]:
    """The sample, persisted."""
    with new_database(servers.database_url) as url:
        persist(url, *replayed())
        yield Settings(database_url=url)


def test_what_a_replay_persisted_is_bit_for_bit_what_training_reads_from_the_files(stored: Settings) -> None:
    assert same(history.bars(stored, 400), read_bars(FILES, "1m"))


def test_the_last_days_are_counted_by_the_bars_and_cut_as_those_of_files(stored: Settings) -> None:
    for days, until in ((2.0, None), (3.0, FIRST + 10 * DAY), (0.5, FIRST + DAY + MINUTE)):
        bar_frames = history.bars(stored, days, until)
        assert same(bar_frames, history.bars(stored, days, until, FILES))
        last = max(int(frame.time[-1]) for frame in bar_frames)
        assert len(bar_frames) == 2
        assert all(frame.time[0] >= last + MINUTE - days * DAY for frame in bar_frames)
        assert until is None or last == until - MINUTE


def test_before_the_first_bar_there_is_no_history(servers: Servers, stored: Settings) -> None:
    assert history.bars(stored, 5, FIRST - DAY) == []
    with new_database(servers.database_url) as url:
        assert history.bars(Settings(database_url=url), 30) == []


def test_every_column_and_what_is_unknown_come_back_and_other_intervals_stay_away(servers: Servers) -> None:
    bars = [
        Bar("A", "1m", FIRST, 1.0, 2.0, 0.5, 1.5, None),
        Bar("A", "1m", FIRST + 3 * MINUTE, 1.0, 2.0, 0.1, 0.3, 4.0, 2**53, 1.0, 5.0, 2, 9, -0.5, 0.25, 1e-300),
    ]
    with new_database(servers.database_url) as url:
        persist(url, bars, [Bar("A", "3m", FIRST, 1.0, 1.0, 1.0, 1.0, 1.0)])
        (bar_frame,) = history.bars(Settings(database_url=url), 1)
    assert same([bar_frame], [type(bar_frame).of(bars)])


def test_blocks_may_end_anywhere(stored: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = history.bars(stored, 1)
    for rows in (1, 7, 1_439):
        monkeypatch.setattr(history, "BLOCK_ROWS", rows)
        assert same(history.bars(stored, 1), whole)


def test_a_database_that_is_away_is_told_in_one_line_without_its_password() -> None:
    with pytest.raises(StorageError, match="cannot be read") as caught:
        history.bars(Settings(database_url="postgresql://me:secret@127.0.0.1:1/x"), 1)
    assert "secret" not in str(caught.value)
