"""Archives that would fill the disk or never end are refused in one line; what people pack is read as before."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from sources.errors import SourceError
from sources.reading import unpack_limits

H = "time,open,high,low,close\n"
T = 1_704_067_200_000
TABLE = (H + "".join(f"{T + place * 60_000},10,12,9,11\n" for place in range(4))).encode()
MIB = 1 << 20


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def in_gzips(content: bytes, times: int) -> bytes:
    for _ in range(times):
        content = gzip.compress(content)
    return content


def in_zips(content: bytes, times: int) -> bytes:
    for _ in range(times):
        content = zipped({"BTCUSDT-1m.csv": content})
    return content


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits at which a test's file is large."""
    monkeypatch.setattr(unpack_limits, "ALLOWED_BYTES", MIB)


@pytest.mark.parametrize("packed", [in_gzips, in_zips])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_table_in_up_to_three_archives_is_read(
    packed: Callable[[bytes, int], bytes], times: int, tmp_path: Path, replayed
) -> None:
    path = tmp_path / "BTCUSDT-1m.csv.packed"
    path.write_bytes(packed(TABLE, times))
    assert len(replayed(path).bars) == 4


@pytest.mark.parametrize("packed", [in_gzips, in_zips])
def test_more_archives_within_each_other_are_refused(
    packed: Callable[[bytes, int], bytes], tmp_path: Path, replayed
) -> None:
    path = tmp_path / "BTCUSDT-1m.csv.packed"
    path.write_bytes(packed(TABLE, 4))
    with pytest.raises(SourceError, match="more than 3 archives lie within each other") as error:
        replayed(path)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "packed",
    [
        in_gzips(TABLE + b" " * 8 * MIB, 1),
        in_gzips(TABLE + b"\n" * 8 * MIB, 1),
        in_gzips(TABLE + f"{T},10,12,9,11\n".encode() * (MIB // 2), 2),
        in_zips(TABLE + b" " * 8 * MIB, 1),
        in_zips(TABLE + b" " * 8 * MIB, 2),
        zipped({f"BTCUSDT-{month}.csv": TABLE + b" " * (MIB // 2) for month in range(9)}),
    ],
    ids=["one long cell", "empty lines", "rows, packed twice", "zip", "zip in a zip", "many members"],
)
def test_what_becomes_too_large_is_refused(packed: bytes, tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSDT-1m.csv.packed"
    path.write_bytes(packed)
    with pytest.raises(SourceError, match="unpacks to more than 1 MiB and 200 times the file's size") as error:
        replayed(path)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("small")
def test_a_binary_table_that_becomes_too_large_leaves_no_more_than_that_on_the_disk(tmp_path: Path, replayed) -> None:
    made = io.BytesIO()
    columns = {name: pa.array([10.0] * MIB) for name in H.strip().split(",")}
    pa.parquet.write_table(pa.table(columns), made, compression="none", use_dictionary=False)
    path = tmp_path / "BTCUSDT-1m.parquet.gz"
    path.write_bytes(gzip.compress(made.getvalue()))
    with pytest.raises(SourceError, match=r"unpacks to more than \d+ MiB"):
        replayed(path)


def test_a_file_may_unpack_to_a_hundred_mebibytes_however_small_it_is(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSDT-1m.csv.gz"
    path.write_bytes(gzip.compress(TABLE + b"\n" * 8 * MIB))
    assert len(path.read_bytes()) * unpack_limits.MOST_RATIO < 8 * MIB
    assert len(replayed(path).bars) == 4
