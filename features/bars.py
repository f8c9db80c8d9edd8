"""Ticks to bars of one symbol and interval, by event time alone.

The watermark is the newest event time seen. A bar closes when the watermark has passed its end by the grace period;
until then trades that come out of order still enter it, so several bars may be open at once. A trade for a closed bar
is late.
Intervals without a trade give no bar: the next bar's `gap` counts them.
"""

from collections.abc import Sequence
from copy import copy

import msgspec
from msgspec import Struct, field

from features.open_bar import OpenBar, repeated
from topics.codec import RejectedPart, encode_one
from topics.records import Bar, Tick
from topics.units import interval_ms


class BarState(Struct, frozen=True, kw_only=True):
    """The state of one symbol and interval's bars. `open` is by start time; `seen` holds trade ids, oldest first.

    `position` is the Kafka offset of the last message folded, `watermark` the newest event time, `last_time` the start
    of the last closed bar; each is -1 at first.
    """

    position: int = -1
    watermark: int = -1
    last_time: int = -1
    open: dict[int, OpenBar] = field(default_factory=dict)
    seen: dict[str, None] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes, exactly."""
        return _encoder.encode(self)

    @classmethod
    def loads(cls, data: bytes) -> "BarState":
        """Read the output of `dumps`. Raises ValueError for anything else."""
        return _decoder.decode(data)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(BarState)


def initial() -> BarState:
    """Return the initial state of a symbol."""
    return BarState()


def step(
    state: BarState, ticks: Sequence[Tick], position: int, interval: str, grace_ms: int
) -> tuple[BarState, list[Bar], list[RejectedPart]]:
    """Fold the ticks of the message at that position (offset) into bars.

    Returns the new state, the bars that closed, in time order, and the ticks that were too late (or overflow), with the
    reason. A message whose position is not after the state's was folded before, and is ignored; so is a trade whose id
    is known.
    """
    if position <= state.position:
        return state, [], []
    size, bars, rejected = interval_ms(interval), list[Bar](), list[RejectedPart]()
    wait = size + grace_ms
    watermark, last_time = state.watermark, state.last_time
    opened = {start: copy(bar) for start, bar in state.open.items()}
    seen = dict(state.seen)
    for row, tick in enumerate(ticks):
        if repeated(tick, seen):
            continue
        start = tick.time - tick.time % size
        if start + wait <= watermark:
            reason = f"late: its {interval} bar of {start} closed {watermark - start - wait} ms before, in event time"
            rejected.append(RejectedPart(row, encode_one(tick), reason))
            continue
        bar = opened.get(start)
        if bar is None:
            bar = OpenBar.beginning(tick, tick.time)
        if not bar.holds(tick):
            rejected.append(
                RejectedPart(
                    row, encode_one(tick), "with this trade the bar's volume would be beyond what a bar may hold"
                )
            )
            continue
        opened[start] = bar
        bar.add_by_time(tick)
        if tick.time > watermark:
            watermark = tick.time
            for done in sorted(start for start in opened if start + wait <= watermark):
                gap = 0 if last_time < 0 else (done - last_time) // size - 1
                bars.append(opened.pop(done).closed(tick.symbol, interval, done, gap))
                last_time = done
    return BarState(position=position, watermark=watermark, last_time=last_time, open=opened, seen=seen), bars, rejected
