"""What the tests of files share: cleaned records of files, and the folder of real data."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from settings import ROOT
from sources.reading.counts import Counts
from sources.reading.reader import Reader, open_files
from sources.reading.request import ReadRequest
from sources.replay.frames import cut, records
from topics.records import Bar, DeadLetter, Tick


@dataclass(frozen=True)
class Replayed:
    """What a replay of files would send."""

    records: list[Bar | Tick]
    dead: list[DeadLetter]
    counts: Counts
    reader: Reader

    @property
    def bars(self) -> list[Bar]:
        return [record for record in self.records if isinstance(record, Bar)]

    @property
    def ticks(self) -> list[Tick]:
        return [record for record in self.records if isinstance(record, Tick)]


Replay = Callable[..., Replayed]


@pytest.fixture
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Return what reads and cleans files as a replay does."""

    def run(files: Path | Sequence[Path], request: ReadRequest | None = None, frame_rows: int = 500) -> Replayed:
        scratch = tmp_path_factory.mktemp("scratch")
        reader = open_files([files] if isinstance(files, Path) else files, request or ReadRequest(), scratch)
        results: list[Bar | Tick] = []
        dead: list[DeadLetter] = []
        for part in reader.parts(scratch):
            dead.extend(part.dead)
            for frame in cut(part.rows, dict.fromkeys(part.rows, 0), frame_rows):
                results.extend(records(reader.registry.series[frame.series], frame.rows))
        return Replayed(results, dead, reader.counts, reader)

    return run


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real data, or skip the test where it is not there."""
    folder = Path(os.environ.get("FORETICK_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"there is no folder of real data at {folder}")
    return folder
