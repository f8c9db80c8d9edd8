"""Derives a component's condition from its activity and times. Pure: every time is an argument, in epoch seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from observability.lag import NOTHING, UNKNOWN, ConsumerLag, length

Word = Literal["healthy", "waiting", "lagging", "looping", "stuck", "unknown"]

LOOP_RESTARTS, LOOP_S = 3, 600.0
"""The number of restarts within a period that counts as a loop."""
SHORT_S = 5.0
"""A wait, and unread records, are normal up to this duration."""
FRESH_S = 30.0
"""Observations of Kafka older than this are out of date."""
ALONE = 5.0
"""If others advance, one partition may stand still for this multiple of the limit for all: they take turns."""


class Condition(Struct, frozen=True, kw_only=True):
    """A condition with its reason, its start and, if known, its expected end.

    `works`: it does its work, or has none. `behind`: its consumer lag, None if it reads nothing or the lag is unknown.
    """

    word: Word
    why: str = ""
    since: float | None = None
    until: float | None = None
    works: bool = False
    behind: ConsumerLag | None = None

    def good(self) -> bool:
        """Return whether no attention is needed."""
        return self.works and self.word != "looping"

    def text(self) -> str:
        """Return the word and the reason."""
        return f"{self.word}: {self.why}" if self.why else self.word


HEALTHY = Condition(word="healthy", works=True)


@dataclass(frozen=True)
class Limits:
    """The limits: how long a position may stand still before it is stuck, how long a lag is no fault, how rare work may
    be."""

    stuck_s: float = 90.0
    lag_s: float = 600.0
    work_s: float = 60.0
    hung_s: float = 900.0


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What is waited for. `planned`: the wait is part of the work, as for a schedule, and no fault.

    A wait shorter than `grace_s` is normal. `sign`: when the wait was last reported, None if it is reported only once.
    """

    what: str
    since: float
    until: float | None = None
    planned: bool = False
    grace_s: float = 0.0
    sign: float | None = None

    def overdue(self, now: float) -> bool:
        """Return whether it has lasted long enough to be reported."""
        return now - self.since >= self.grace_s


@dataclass(frozen=True, kw_only=True)
class ReaderPosition:
    """A reader's position in a partition: its committed offset, and the end. `still`: when it last advanced, or was
    first seen.

    `behind` is since when the record before `goal` has been waiting, None at the end; `moved` is whether it has
    advanced since the process began; `waits` is the measured consumer lag.
    """

    topic: str
    partition: int
    committed: int
    end: int
    still: float
    behind: float | None = None
    moved: bool = False
    goal: int = 0
    waits: ConsumerLag = UNKNOWN

    @property
    def lag(self) -> ConsumerLag:
        """Return the lag in Kafka records."""
        if self.behind is None:
            return NOTHING
        return ConsumerLag(max(1, self.end - self.committed), self.waits.rows, self.waits.seconds)


@dataclass(frozen=True)
class Work:
    """Rounds of work: when the last one ended, the present activity, and the last sign of progress."""

    ended: float | None
    doing: str
    sign: float


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The known facts of a process. `places`: None if it reads no topic; `looked`: when Kafka last returned the end
    offsets."""

    began: float
    restarts: Sequence[float] = ()
    hangs: str | None = None
    waits: Sequence[Wait] = ()
    places: Sequence[ReaderPosition] | None = None
    looked: float | None = None
    work: Work | None = None
    limits: Limits = field(default_factory=Limits)


def derive(facts: Facts, now: float) -> Condition:
    """Return the condition of a process at `now`."""
    return looped(_derive(facts, now), facts.restarts, now)


def looped(condition: Condition, restarts: Sequence[float], now: float) -> Condition:
    """Return the condition, or a loop of restarts unless it is `stuck`."""
    recent = [time for time in restarts if now - time <= LOOP_S]
    if len(recent) < LOOP_RESTARTS or condition.word in ("looping", "stuck"):
        return condition
    why = f"{len(recent)} restarts in the last {LOOP_S / 60:.0f} minutes; now {condition.text()}"
    return replace(condition, word="looping", why=why, since=min(recent), until=None)


def stuck_place(places: Sequence[ReaderPosition], now: float, limits: Limits) -> ReaderPosition | None:
    """Return the partition that has stood still for longest before its end, None if none has done so for too long.

    If none advances the limit is `stuck_s`; if others advance it is `ALONE` times that.
    """
    behind = [place for place in places if place.behind is not None]
    if not behind:
        return None
    slowest = min(behind, key=lambda place: max(place.still, place.behind or 0.0))
    still_s = now - max(slowest.still, slowest.behind or 0.0)
    all_still = all(now - place.still > limits.stuck_s for place in places)
    return slowest if still_s > limits.stuck_s * (1.0 if all_still else ALONE) else None


def _derive(facts: Facts, now: float) -> Condition:
    if facts.hangs is not None:
        return Condition(word="stuck", why=facts.hangs)
    waits = [wait for wait in facts.waits if wait.overdue(now)]
    if waits:
        reporter = min(waits, key=lambda wait: wait.planned)  # the first, unplanned ones preferred
        if reporter.sign is not None and now - reporter.sign > facts.limits.hung_s:
            why = f"waits for {reporter.what}, and has given no sign for {length(now - reporter.sign)}"
            return Condition(word="stuck", why=why, since=reporter.sign)
        behind = ConsumerLag.of(place.lag for place in facts.places) if facts.places and facts.looked else None
        return Condition(
            word="waiting",
            why=reporter.what,
            since=reporter.since,
            until=reporter.until,
            works=reporter.planned,
            behind=behind,
        )
    if facts.places is not None:
        return _reading(facts.places, facts.looked, now, facts)
    return HEALTHY if facts.work is None else _working(facts.work, now, facts)


def _reading(places: Sequence[ReaderPosition], looked: float | None, now: float, facts: Facts) -> Condition:
    if looked is None or now - looked > FRESH_S:
        return Condition(word="unknown", why="the topics' end offsets are unknown", since=looked)
    if not places:
        return Condition(word="unknown", why="it reads no partition")
    stuck = stuck_place(places, now, facts.limits)
    if stuck is not None:
        behind = ConsumerLag.of(place.lag for place in places)
        return Condition(word="stuck", why=standing_still(stuck, now), since=stuck.still, behind=behind)
    late = [place for place in places if place.behind is not None]
    behind = ConsumerLag.of(place.lag for place in late)
    if not late:
        return Condition(word="healthy", works=True, behind=NOTHING)
    since = min(place.behind or now for place in late)
    moved = any(place.moved for place in late)
    if moved and now - since <= SHORT_S:
        return Condition(word="healthy", works=True, behind=behind)
    topics = ", ".join(sorted({place.topic for place in late}))
    last = max(place.still for place in late)
    how = f"last read {length(now - last)} ago" if moved else "none of them read yet"
    why = f"behind on {topics} for {length(now - since)}, by {behind.text()}; {how}"
    return Condition(
        word="lagging", why=why, since=since, works=moved and now - since <= facts.limits.lag_s, behind=behind
    )


def standing_still(place: ReaderPosition, now: float) -> str:
    """Describe where a reader is stuck."""
    return (
        f"{place.topic} partition {place.partition} has stood at {place.committed} of {place.end} "
        f"for {length(now - max(place.still, place.behind or 0.0))}"
    )


def _working(work: Work, now: float, facts: Facts) -> Condition:
    quiet_s = now - work.sign
    if quiet_s > facts.limits.hung_s:
        return Condition(word="stuck", why=f"{work.doing or 'it'}: no sign for {length(quiet_s)}", since=work.sign)
    if work.ended is not None and now - work.ended <= facts.limits.work_s:
        return Condition(word="healthy", why=work.doing, works=True)
    since = facts.began if work.ended is None else work.ended
    last = "none of its rounds has ended" if work.ended is None else f"its last round ended {length(now - since)} ago"
    moves = quiet_s <= facts.limits.work_s
    why = f"{work.doing + ', ' if work.doing else ''}{last}; last sign {length(quiet_s)} ago"
    return Condition(word="lagging", why=why, since=since, works=moves and now - since <= facts.limits.lag_s)


def clock(time: float) -> str:
    """Return a time of day, UTC, with its date if it is not today."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
