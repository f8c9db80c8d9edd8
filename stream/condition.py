"""How a component is, in one word, derived from what it did and when. Pure: every time is given, in epoch seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Word = Literal["healthy", "waiting", "lagging", "looping", "stuck", "unknown"]

LOOP_RESTARTS, LOOP_S = 3, 600.0
"""So many restarts in so long are a loop."""
SHORT_S = 5.0
"""A wait, and records that are not read yet, are part of the work for so long."""
FRESH_S = 30.0
"""What was seen of Kafka longer ago says nothing of now."""
ALONE = 5.0
"""One partition among others that move may stand still for so many times longer than all together: they take turns."""


class Condition(Struct, frozen=True):
    """A word, why, since when and, where that is known, until when.

    `works`: it does its work, or has none. `behind`: the Kafka records it has yet to commit, None where it reads none
    or that is unknown.
    """

    word: Word
    why: str = ""
    since: float | None = None
    until: float | None = None
    works: bool = False
    behind: int | None = None

    def good(self) -> bool:
        """Tell whether nobody needs to look."""
        return self.works and self.word != "looping"

    def text(self) -> str:
        """Return the word and the reason."""
        return f"{self.word}: {self.why}" if self.why else self.word


HEALTHY = Condition("healthy", works=True)


@dataclass(frozen=True)
class Limits:
    """How long a position may stand still before it is stuck, how long a lag is no fault, how rare work may be."""

    stuck_s: float = 90.0
    lag_s: float = 600.0
    work_s: float = 60.0
    hung_s: float = 900.0


@dataclass(frozen=True)
class Wait:
    """What is waited for. `planned`: the work itself is to wait, as a schedule does, and nothing is wrong.

    A wait shorter than `patience` is part of the work. `sign`: when whoever waits said so last, None where it is to say
    so only once.
    """

    what: str
    since: float
    until: float | None = None
    planned: bool = False
    patience: float = 0.0
    sign: float | None = None

    def told(self, now: float) -> bool:
        """Tell whether it has lasted long enough to be told."""
        return now - self.since >= self.patience


@dataclass(frozen=True)
class Place:
    """Where a reader is in a partition: what it committed, and the end. `still`: when it last moved, or was first seen.

    `behind` is since when the record before `goal` has waited, None where it is at the end; `moved` is whether it has
    moved since the process began.
    """

    topic: str
    partition: int
    committed: int
    end: int
    still: float
    behind: float | None = None
    moved: bool = False
    goal: int = 0

    @property
    def lag(self) -> int:
        """Return the records that are not committed."""
        return 0 if self.behind is None else max(1, self.end - self.committed)


@dataclass(frozen=True)
class Work:
    """Rounds of work: when the last one ended, what is done now, and the last sign that it goes on."""

    ended: float | None
    doing: str
    sign: float


@dataclass(frozen=True)
class Facts:
    """What is known of a process. `places`: None where it reads no topic; `looked`: when Kafka last told the ends."""

    began: float
    restarts: Sequence[float] = ()
    hangs: str | None = None
    waits: Sequence[Wait] = ()
    places: Sequence[Place] | None = None
    looked: float | None = None
    work: Work | None = None
    limits: Limits = field(default_factory=Limits)


def derive(facts: Facts, now: float) -> Condition:
    """Return the condition of a process at `now`."""
    return looped(_derive(facts, now), facts.restarts, now)


def looped(found: Condition, restarts: Sequence[float], now: float) -> Condition:
    """Return a condition that also tells of a loop of restarts; `stuck` is told before it."""
    recent = [time for time in restarts if now - time <= LOOP_S]
    if len(recent) < LOOP_RESTARTS or found.word in ("looping", "stuck"):
        return found
    why = f"{len(recent)} restarts in the last {LOOP_S / 60:.0f} minutes; now {found.text()}"
    return replace(found, word="looping", why=why, since=min(recent), until=None)


def stuck_place(places: Sequence[Place], now: float, limits: Limits) -> Place | None:
    """Return the partition that has stood still for longest before its end, None where none does so for too long.

    Where nothing moves at all the limit is `stuck_s`; a partition beside others that move may take `ALONE` times that.
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
        return Condition("stuck", facts.hangs)
    waits = [wait for wait in facts.waits if wait.told(now)]
    if waits:
        told = min(waits, key=lambda wait: wait.planned)  # the first that is given, of those that are no plan
        if told.sign is not None and now - told.sign > facts.limits.hung_s:
            why = f"waits for {told.what}, and has given no sign for {seconds(now - told.sign)}"
            return Condition("stuck", why, told.sign)
        behind = sum(place.lag for place in facts.places) if facts.places and facts.looked else None
        return Condition("waiting", told.what, told.since, told.until, told.planned, behind)
    if facts.places is not None:
        return _reading(facts.places, facts.looked, now, facts)
    return HEALTHY if facts.work is None else _working(facts.work, now, facts)


def _reading(places: Sequence[Place], looked: float | None, now: float, facts: Facts) -> Condition:
    if looked is None or now - looked > FRESH_S:
        return Condition("unknown", "it is not known where the topics end", looked)
    if not places:
        return Condition("unknown", "it reads no partition")
    stuck = stuck_place(places, now, facts.limits)
    if stuck is not None:
        return Condition("stuck", standing_still(stuck, now), stuck.still, behind=sum(place.lag for place in places))
    late = [place for place in places if place.behind is not None]
    behind = sum(place.lag for place in late)
    if not late:
        return Condition("healthy", works=True, behind=0)
    since = min(place.behind or now for place in late)
    moved = any(place.moved for place in late)
    if moved and now - since <= SHORT_S:
        return Condition("healthy", works=True, behind=behind)
    topics = ", ".join(sorted({place.topic for place in late}))
    last = max(place.still for place in late)
    how = f"last read {seconds(now - last)} ago" if moved else "none of them read yet"
    why = f"{behind:,} Kafka records behind on {topics} for {seconds(now - since)}; {how}"
    return Condition("lagging", why, since, works=moved and now - since <= facts.limits.lag_s, behind=behind)


def standing_still(place: Place, now: float) -> str:
    """Return where a reader is stuck."""
    return (
        f"{place.topic} partition {place.partition} has stood at {place.committed} of {place.end} "
        f"for {seconds(now - max(place.still, place.behind or 0.0))}"
    )


def _working(work: Work, now: float, facts: Facts) -> Condition:
    quiet_s = now - work.sign
    if quiet_s > facts.limits.hung_s:
        return Condition("stuck", f"{work.doing or 'it'}: no sign for {seconds(quiet_s)}", work.sign)
    if work.ended is not None and now - work.ended <= facts.limits.work_s:
        return Condition("healthy", work.doing, works=True)
    since = facts.began if work.ended is None else work.ended
    last = "none of its rounds has ended" if work.ended is None else f"its last round ended {seconds(now - since)} ago"
    moves = quiet_s <= facts.limits.work_s
    why = f"{work.doing + ', ' if work.doing else ''}{last}; last sign {seconds(quiet_s)} ago"
    return Condition("lagging", why, since, works=moves and now - since <= facts.limits.lag_s)


def seconds(length: float) -> str:
    """Return a length of time in its largest unit.

    >>> seconds(95)
    '1 min'
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if length >= size:
            return f"{int(length // size)} {unit}"
    return f"{max(0, int(length))} s"


def clock(time: float) -> str:
    """Return a time of day, UTC, with its date where people need one."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
