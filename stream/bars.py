"""The stage from ticks to bars: every kind that is configured, from the same ticks, with one state a symbol."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from features import bars as time_bars
from features import information_bars
from features.bars import BarState
from features.information_bars import InformationState
from stream.stage import Output, Part
from topics.catalog import BARS, DEAD_LETTERS, TICKS
from topics.codec import Rejected
from topics.records import Bar, DeadLetter, Tick


class BarStates(Struct, frozen=True):
    """The states of the time bars, and of the others by their interval."""

    time: BarState
    others: dict[str, InformationState]

    def dumps(self) -> bytes:
        """Return the states as bytes, exactly."""
        return _encoder.encode(self)

    @classmethod
    def loads(cls, data: bytes) -> "BarStates":
        """Read what `dumps` wrote, or a state of time bars alone. Raises ValueError where it is something else."""
        try:
            return _decoder.decode(data)
        except msgspec.ValidationError:  # written before there were others
            return cls(BarState.loads(data), {})


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(BarStates)


@dataclass(frozen=True)
class Bars:
    """Ticks to bars of one time interval and of `others`, which are not cut by time.

    One stage for all: a tick is read once and, where it is none, reported once, and all kinds have seen the same ticks
    after a crash. A kind that is configured later begins then; one that is not configured any more is forgotten.
    """

    interval: str
    grace_ms: int
    others: tuple[str, ...] = ()
    name = "bars"
    source = TICKS

    def key(self, record: Tick) -> tuple[str, str]:
        """A tick belongs to the time interval that this pipeline builds."""
        return record.symbol, self.interval

    def check(self, record: Tick) -> str | None:  # noqa: ARG002 - every tick that could be built can be folded
        """Return None: every tick is usable."""
        return None

    def load(self, key: tuple[str, str], state: bytes | None) -> BarStates:  # noqa: ARG002 - the same for every key
        """Return the open bars of a symbol."""
        return BarStates(time_bars.initial(), {}) if state is None else BarStates.loads(state)

    def dump(self, state: BarStates) -> bytes:
        """Return the open bars as bytes."""
        return state.dumps()

    def newest(self, state: BarStates) -> int:
        """Return the newest time of any kind of bars."""
        others = [max(one.last_time, one.open.first_time if one.open else -1) for one in state.others.values()]
        return max([state.time.watermark, state.time.last_time, *others])

    def step(self, state: BarStates, parts: Sequence[Part[Tick]]) -> tuple[BarStates, list[Output]]:
        """Close the bars that the ticks complete; a tick that a kind of bars cannot take is a dead letter, once."""
        bars: dict[str, list[Bar]] = {interval: [] for interval in (self.interval, *self.others)}
        letters: list[DeadLetter] = []
        time = state.time
        others = {interval: state.others.get(interval) or information_bars.initial() for interval in self.others}
        for part in parts:
            # The shell knows what was folded before by partition and offset; here every part is the next one.
            time, closed, refused = time_bars.step(time, part.records, time.position + 1, self.interval, self.grace_ms)
            bars[self.interval] += closed
            rejected = {one.row: one for one in refused}
            for interval, other in others.items():
                others[interval], closed, refused = information_bars.step(
                    other, part.records, other.position + 1, interval
                )
                bars[interval] += closed
                rejected = {one.row: one for one in refused} | rejected
            letters += [_letter(part, rejected[row]) for row in sorted(rejected)]
        outputs: list[Output] = [(BARS, closed) for closed in bars.values()]
        return BarStates(time, others), [*outputs, (DEAD_LETTERS, letters)]


def _letter(part: Part[Tick], one: Rejected) -> DeadLetter:
    return DeadLetter(
        TICKS.name, part.partition, part.offset, one.reason, one.value, part.timestamp, row=part.rows[one.row]
    )
