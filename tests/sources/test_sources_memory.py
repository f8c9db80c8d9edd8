"""Memory does not grow with the file."""

import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT

_PEAK = """
import sys
from pathlib import Path
from sources.reading.request import ReadRequest
from sources.replay.backfill import count
counts = count([Path(sys.argv[1])], ReadRequest())
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(counts.bars, int(status["VmHWM"].split()[0]) // 1024)
"""
# Not getrusage: its peak begins with that of the process which forked this one.
GROWTH_MB = 150
"""What a file three times as long may take more: the run that is sorted, and what the allocator keeps."""


def _generated(path: Path, rows: int, *, newest_first: bool) -> Path:
    minutes = reversed(range(rows)) if newest_first else range(rows)
    with path.open("w") as file:
        file.write("time,open,high,low,close,volume\n")
        file.writelines(
            f"{1_600_000_020_000 + n * 60_000},{n % 977 + 10},{n % 977 + 11}.5,9.25,10,{n}.125\n" for n in minutes
        )
    return path


def _peak(path: Path, rows: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    bars, peak = map(int, done.stdout.split())
    assert bars == rows
    return peak


@pytest.mark.slow
@pytest.mark.parametrize("newest_first", [pytest.param(False, marks=pytest.mark.long), True])
def test_three_times_the_rows_take_hardly_more_memory(tmp_path: Path, newest_first: bool) -> None:
    million = _peak(_generated(tmp_path / "BTCUSDT.csv", 1_000_000, newest_first=newest_first), 1_000_000)
    three = _peak(_generated(tmp_path / "ETHUSDT.csv", 3_000_000, newest_first=newest_first), 3_000_000)
    assert three < million + GROWTH_MB
    assert three < 1_024
