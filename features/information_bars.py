"""Ticks to bars that end when a threshold of market activity is reached: tick, volume, dollar and range bars of one
symbol.

López de Prado, "Advances in Financial Machine Learning" (2018), chapter 2. A bar ends with the trade that fills it; the
trade belongs to it entirely, and its excess over the threshold is not carried over. The threshold is in the interval's
name: trades, base volume, quote volume, or the range in basis points of the open (`topics.units.measure`).

Trades count in the order in which they arrive, and none is late, since no bar ends by time. A bar's time is its first
trade's, or one millisecond after the time of the bar before where that is later: so times increase, and are identities.
"""

from collections.abc import Callable, Sequence
from copy import copy

import msgspec
from msgspec import Struct, field

from features.open_bar import OpenBar, repeated
from topics.codec import RejectedPart, encode_one
from topics.limits import END_OF_TIME
from topics.records import Bar, Tick
from topics.units import measure

NEARLY = 1 - 1e-11
"""The share of a threshold that fills a bar: ten times 0.1 is less than 1 in binary. The tolerance is larger than
rounding errors, and smaller than the last of eight decimals of an amount."""
FILLED: dict[str, Callable[[OpenBar], float]] = {
    "tick": lambda bar: bar.trades,
    "volume": lambda bar: bar.volume,
    "dollar": lambda bar: bar.quote_volume,
    "range": lambda bar: (bar.high - bar.low) / bar.open * 10_000,
}
"""How much of the threshold a bar has reached, by the interval's kind."""


class InformationState(Struct, frozen=True):
    """The state of one symbol and interval's bars. `seen` holds trade ids, oldest first.

    `position` is the Kafka offset of the last message folded, `last_time` the time of the last closed bar (epoch ms);
    each is -1 at first.
    """

    position: int = -1
    last_time: int = -1
    open: OpenBar | None = None
    seen: dict[str, None] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the state as bytes, exactly."""
        return _encoder.encode(self)

    @classmethod
    def loads(cls, data: bytes) -> "InformationState":
        """Read the output of `dumps`. Raises ValueError for anything else."""
        return _decoder.decode(data)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(InformationState)


def initial() -> InformationState:
    """Return the initial state of a symbol."""
    return InformationState()


def step(
    state: InformationState, ticks: Sequence[Tick], position: int, interval: str
) -> tuple[InformationState, list[Bar], list[RejectedPart]]:
    """Fold the ticks of the message at that position (offset) into bars.

    Returns the new state, the bars that closed, in time order, and the ticks that no bar can take, with the reason. A
    message whose position is not after the state's was folded before, and is ignored; so is a trade whose id is known.
    Raises ValueError for an interval of time.
    """
    if position <= state.position:
        return state, [], []
    kind, size = measure(interval)
    if kind not in FILLED:
        raise ValueError(f"{interval} bars are cut by time, not by what is traded")
    held, full = FILLED[kind], size * NEARLY
    bars, rejected = list[Bar](), list[RejectedPart]()
    last_time, bar, seen = state.last_time, copy(state.open), dict(state.seen)
    for row, tick in enumerate(ticks):
        if repeated(tick, seen):
            continue
        taking = bar or OpenBar.beginning(tick, max(tick.time, last_time + 1))
        reason = _refusal(taking, tick, interval)
        if reason is not None:
            rejected.append(RejectedPart(row, encode_one(tick), reason))
            continue
        taking.add_as_it_comes(tick)
        bar = taking
        if held(bar) >= full:
            last_time = bar.first_time
            bars.append(bar.closed(tick.symbol, interval, last_time))
            bar = None
    return InformationState(position, last_time, bar, seen), bars, rejected


def _refusal(bar: OpenBar, tick: Tick, interval: str) -> str | None:
    """Return why the bar cannot take the trade, or None."""
    if not bar.holds(tick):
        return f"with this trade the {interval} bar's volume would be beyond what a bar may hold"
    if bar.first_time >= END_OF_TIME:
        return f"no time is left for a {interval} bar after the last one"
    return None
