"""Rows in time order, in bounded memory: sorted runs are laid on disk and merged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from sources.reading.merge import merge
from sources.tables.columns import Columns, by_time, concat, size, take

RUN_ROWS = 500_000
"""Rows that are sorted in memory."""
BLOCK_ROWS = 16_384
"""Rows of each run that are held while the runs are merged."""


def sort(chunks: Iterator[Columns], scratch: Path, *, turned: bool = False) -> Iterator[Columns]:
    """Yield the rows of all chunks in time order, in blocks; rows of one time keep their order, or have it `turned`.

    While the chunks are still read, empty blocks are yielded. The runs lie in the folder `scratch`, and go when read.
    """
    runs: list[Path] = []
    held: list[Columns] = []
    for chunk in chunks:
        if size(chunk):
            held.append(chunk)
        if sum(map(size, held)) >= RUN_ROWS:
            runs.append(_write(_sorted(held, turned=turned), scratch))
            held = []
        yield {name: values[:0] for name, values in chunk.items()}
    streams = [_read(run) for run in runs]
    if held:
        streams.append(iter([_sorted(held, turned=turned)]))
    for window in merge(streams[::-1] if turned else streams):
        if window:
            yield by_time(concat(window))


def _sorted(chunks: list[Columns], *, turned: bool) -> Columns:
    rows = concat(chunks)
    return by_time(take(rows, slice(None, None, -1)) if turned else rows)


def _write(rows: Columns, scratch: Path) -> Path:
    path = scratch / f"run-{len(list(scratch.iterdir()))}.arrow"
    table = pa.table({name: pa.array(values) for name, values in rows.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=BLOCK_ROWS)
    return path


def _read(path: Path) -> Iterator[Columns]:
    with pa.OSFile(str(path), "rb") as source:
        file = pa.ipc.open_file(source)
        for place in range(file.num_record_batches):
            yield _columns(file.get_batch(place))
    path.unlink()


def _columns(batch: Any) -> Columns:
    return {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
