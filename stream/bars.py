"""The stage from ticks to bars: all configured kinds, from the same ticks, with one state per symbol."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from features import bars as time_bars
from features import information_bars
from features.bars import BarState
from features.information_bars import InformationState
from features.suspect_prices import SuspectState, mark
from stream.stage import Output, Part
from topics.catalog import BARS, DEAD_LETTERS, TICKS
from topics.codec import RejectedPart
from topics.records import Bar, DeadLetter, Tick


class BarStates(Struct, frozen=True):
    """The states of the time bars, of the others by their interval, and of the check for suspect prices of each
    interval."""

    time: BarState
    others: dict[str, InformationState]
    seen: dict[str, SuspectState] = {}

    def dumps(self) -> bytes:
        """Return the states as bytes, exactly."""
        return _encoder.encode(self)

    @classmethod
    def loads(cls, data: bytes) -> "BarStates":
        """Read the output of `dumps`, or a state of time bars alone. Raises ValueError for anything else."""
        try:
            return _decoder.decode(data)
        except msgspec.ValidationError:  # written before other kinds existed
            return cls(BarState.loads(data), {})


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(BarStates)


@dataclass(frozen=True)
class Bars:
    """Ticks to bars of one time interval and of `others`, which are not cut by time.

    One stage for all: a tick is decoded once, an invalid one is reported once, and after a crash all kinds have seen
    the same ticks. A kind that is configured later starts at that time; the state of one that is no longer configured
    is dropped.
    """

    interval: str
    grace_ms: int
    others: tuple[str, ...] = ()
    name = "bars"
    source = TICKS

    def key(self, record: Tick) -> tuple[str, str]:
        """A tick belongs to the configured time interval."""
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
        """Close the bars that the ticks complete; a tick that some kind of bars cannot take is one dead letter."""
        bars: dict[str, list[Bar]] = {interval: [] for interval in (self.interval, *self.others)}
        dead_letters: list[DeadLetter] = []
        # The shell skips parts folded before by partition and offset: here every part is new, and a position counts
        # them. All are folded at once, since a step copies the state, and a part may be a single tick.
        ticks = [tick for part in parts for tick in part.records]
        time, closed, refused = time_bars.step(
            state.time, ticks, state.time.position + len(parts), self.interval, self.grace_ms
        )
        bars[self.interval] += closed
        rejected = {one.row: one for one in refused}
        others: dict[str, InformationState] = {}
        for interval in self.others:
            other = state.others.get(interval) or information_bars.initial()
            others[interval], closed, refused = information_bars.step(
                other, ticks, other.position + len(parts), interval
            )
            bars[interval] += closed
            rejected = {one.row: one for one in refused} | rejected
        if rejected:
            origins = [(part, row) for part in parts for row in part.rows]
            dead_letters += [_dead_letter(*origins[place], rejected[place]) for place in sorted(rejected)]
        seen: dict[str, SuspectState] = {}
        outputs: list[Output] = []
        for interval, closed in bars.items():
            seen[interval], marked = mark(state.seen.get(interval, SuspectState()), closed)
            outputs.append((BARS, marked))
        return BarStates(time, others, seen), [*outputs, (DEAD_LETTERS, dead_letters)]


def _dead_letter(part: Part[Tick], row: int, one: RejectedPart) -> DeadLetter:
    return DeadLetter(
        topic=TICKS.name,
        partition=part.partition,
        offset=part.offset,
        reason=one.reason,
        value=one.value,
        time=part.timestamp,
        row=row,
    )
