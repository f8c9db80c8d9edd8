"""Streams that are each in time order, into one that is. In bounded memory: a block of each stream is held."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sources.tables.columns import Columns, concat, size, take

Window = list[Columns]


@dataclass
class _Stream:
    """A stream and the rows of it that were read and not yet given on."""

    blocks: Iterator[Columns]
    held: Columns | None = None
    ended: bool = False

    def pull(self) -> bool:
        """Read the next block; tell whether it had a row or was the end."""
        block = next(self.blocks, None)
        if block is None:
            self.ended = True
        elif size(block):
            self.held = block if self.held is None else concat([self.held, block])
        return block is None or size(block) > 0

    @property
    def last(self) -> int:
        """The last time held."""
        return int(self.held["time"][-1]) if self.held is not None else -1

    def before(self, bound: int | None) -> Columns | None:
        """Give on the rows earlier than `bound`, or all."""
        rows = self.held
        if rows is None:
            return None
        cut = size(rows) if bound is None else int(np.searchsorted(rows["time"], bound, side="left"))
        self.held = take(rows, slice(cut, None)) if cut < size(rows) else None
        return take(rows, slice(cut)) if cut else None


def _alone(blocks: Iterator[Columns]) -> Iterator[Window]:
    """Yield the windows of one stream, whose blocks are copied only where one goes on at the last time of another."""
    held: Columns | None = None
    for block in blocks:
        if not size(block):
            yield []
        elif held is None:
            held = block
        elif block["time"][0] > held["time"][-1]:
            yield [held]
            held = block
        else:
            held = concat([held, block])
    if held is not None:
        yield [held]


def merge(blocks: Sequence[Iterator[Columns]]) -> Iterator[Window]:
    """Yield windows: what each stream that has any holds of a span of time, in the order of the streams.

    The spans follow each other, and all rows of one time are in one window. An empty block makes an empty window, so
    that who reads gets his turn while a stream is still being prepared.
    """
    if len(blocks) == 1:
        yield from _alone(blocks[0])
        return
    streams = [_Stream(iterator) for iterator in blocks]
    pulling = streams
    while pulling:
        for stream in pulling:
            while not stream.pull():
                yield []
        live = [stream for stream in streams if not stream.ended]
        # The next block of the stream that ends first may continue at the same time, so rows of that time wait.
        bound = min((stream.last for stream in live), default=None)
        window = [rows for stream in streams if (rows := stream.before(bound)) is not None]
        if window:
            yield window
        pulling = [stream for stream in live if stream.held is None or stream.last == bound]
