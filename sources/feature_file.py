"""A Parquet file of features: symbol, interval, time, close, then each feature by its name as float64 (unknown is NaN).

Its metadata name the definition: `foretick.fingerprint`, `foretick.names` (JSON) and `foretick.version`.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from features.frame import FeatureFrame
from settings.version import package_version
from sources.errors import SourceError

COMPRESSION = "LZ4"


class FeatureFile:
    """Writes frames, a row group each, while the next is computed. The file appears when all is written, or not at all.

    Raises SourceError if it cannot be written.
    """

    def __init__(self, path: Path, names: Sequence[str], fingerprint: str) -> None:
        self._path = path
        self._schema = _schema(names, fingerprint)
        self._draft = path.with_name(f".{path.name}.{os.getpid()}.draft")  # of this process alone
        self._thread = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def __enter__(self) -> Self:
        if self._path.is_dir():
            raise SourceError(f"{self._path} is a folder: name a file in it")
        try:
            self._draft.touch()  # gives a better error message than Arrow
            self._writer = pq.ParquetWriter(
                self._draft,
                self._schema,
                compression=COMPRESSION,
                use_dictionary=["symbol", "interval"],
                write_statistics=["symbol", "time"],
                # The bytes of like weight together: an eighth less to write, in no more time.
                use_byte_stream_split=[field.name for field in self._schema if field.type == pa.float64()],
            )
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def write(self, frame: FeatureFrame) -> None:
        """Write the rows, once those before are written."""
        self._wait()
        if len(frame):
            self._written = self._thread.submit(self._write, frame)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._wait()
        finally:
            self._thread.shutdown()
            self._close(done=kind is None)

    def _wait(self) -> None:
        try:
            if self._written is not None:
                self._written.result()
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, frame: FeatureFrame) -> None:
        rows = len(frame)
        columns = [
            pa.repeat(frame.symbol, rows),
            pa.repeat(frame.interval, rows),
            pa.array(frame.time).cast(self._schema.field("time").type),
            pa.array(frame.close),
            *map(pa.array, frame.values.T),
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=rows)

    def _close(self, *, done: bool) -> None:
        try:
            self._writer.close()
            if done:
                os.replace(self._draft, self._path)  # noqa: PTH105 - replaces what is there on every system, and raises OSError alike
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            self._draft.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> SourceError:
        return SourceError(f"{self._path} cannot be written: {error.strerror or error}")


def _schema(names: Sequence[str], fingerprint: str) -> pa.Schema:
    keys = {"symbol": pa.string(), "interval": pa.string(), "time": pa.timestamp("ms", tz="UTC")}
    columns = {**keys, **dict.fromkeys(("close", *names), pa.float64())}
    # Nothing is null, for unknown is NaN: so said, half the time of encoding is saved.
    fields = [pa.field(name, kind, nullable=False) for name, kind in columns.items()]
    known = {"fingerprint": fingerprint, "names": json.dumps(list(names)), "version": package_version() or "unknown"}
    return pa.schema(fields, {f"foretick.{name}": value for name, value in known.items()})
