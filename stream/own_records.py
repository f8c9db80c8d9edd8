"""The records that this process has posted to a stage's topic and not fetched yet, and the states that they led to.

A stage folds what its own process posts at once, instead of after the way through Kafka, if all records of that symbol
before it are folded. Its outputs are posted; its state is stored, and its offset acknowledged, when the record is
fetched. If another record is fetched in its place, what was folded is forgotten, and the fetched ones are folded as
they come.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from broker.interface import Delivery, Headers
from stream.coalesced import Piece, SourceRecord
from stream.delayed_save import Change
from stream.state_tables import encoded_entry, state_of

S = TypeVar("S")

OWN = -1
"""The partition of a record that was not fetched yet: its place is unknown."""
LARGEST_BYTES = 16_384
"""A larger record waits for its fetch: the way through Kafka is little beside its fold, which blocks the event loop."""
MOST_WAITING = 1_000
"""Records of a symbol that are posted and not fetched; beyond them a replay runs, and none is folded at once."""
REST_S = 60.0
"""A symbol to whose records another program added one waits for its fetches so long."""

_NOT_FETCHED: Any = None


@dataclass(kw_only=True)
class _Waiting(Generic[S]):
    """A posted record: the states that it led to, None if it is still to be folded, and its outputs' deliveries."""

    digest: int
    delivery: Delivery
    changes: Sequence[Change[S]] | None
    outputs: Sequence[Delivery]

    def offset(self) -> int | None:
        """Return the offset at which Kafka has confirmed the record, None before."""
        done = self.delivery.done() and not self.delivery.cancelled() and self.delivery.exception() is None
        return self.delivery.result().offset if done else None


class OwnRecords(Generic[S]):
    """See the module. A record is known again by its value, and by its offset where that is confirmed.

    `states`: the newest states by table key, of keys with records that are folded and not fetched.
    """

    def __init__(self) -> None:
        self.states: dict[bytes, tuple[dict[int, int], S]] = {}
        self._generation: int | None = None
        self._waiting: dict[str, deque[_Waiting[S]]] = {}
        self._reached: set[str] = set()
        self._rests: dict[str, float] = {}
        self._owed: list[Delivery] = []
        self._serial = 0

    def begin(self, generation: int) -> None:
        """Forget what was folded before a rebalance: it is read again, perhaps on another state."""
        if self._generation != generation:
            self._generation = generation
            for symbol in list(self._waiting):
                self.drop(symbol)
            self._waiting.clear()
            self._reached.clear()

    def open(self, symbol: str, size: int, now: float) -> bool:
        """Return whether a record of so many bytes that is posted now follows only records that are folded.

        That is known once one of this process was fetched: until then there may be unread ones of others before it.
        """
        waiting = self._waiting.get(symbol)
        return (
            size <= LARGEST_BYTES
            and symbol in self._reached
            and now >= self._rests.get(symbol, now)
            and (not waiting or (waiting[-1].changes is not None and len(waiting) < MOST_WAITING))
        )

    def record(self, topic: str, key: bytes, value: bytes, headers: Headers, time_s: float) -> Piece:
        """Return a posted record as if it were fetched, in a place of its own."""
        self._serial += 1
        return Piece(_NOT_FETCHED, SourceRecord(topic, OWN, self._serial, time_s, key, value, headers, None), last=True)

    def expect(
        self,
        symbol: str,
        value: bytes,
        delivery: Delivery,
        changes: Sequence[Change[S]] | None,
        outputs: Sequence[Delivery],
    ) -> None:
        """Wait for the fetch of a posted record, and keep the states that it led to; None if it is to be folded then.

        Whoever calls may add `outputs` until the record is taken.
        """
        waiting = self._waiting.setdefault(symbol, deque())
        if len(waiting) >= MOST_WAITING:
            self.drop(symbol)
            waiting.clear()
            self._reached.discard(symbol)
        waiting.append(_Waiting(digest=hash(value), delivery=delivery, changes=changes, outputs=outputs))
        self.states.update((change.key, (change.offsets, change.state)) for change in changes or ())

    def runs(self, events: Sequence[Piece]) -> Iterator[tuple[Sequence[Piece], list[Change[S]] | None]]:
        """Yield fetched records in order: alone each that was folded, with the states that it led to, and what is
        between them together, with None: it is to be folded before the next is asked for.
        """
        run: list[Piece] = []
        for event in events:
            if run and self._next_is(event, folded=True):
                yield run, None
                run = []
            changes = self._taken(event)
            if changes is None:
                run.append(event)
            else:
                yield [event], changes
        if run:
            yield run, None

    def _taken(self, event: Piece) -> list[Change[S]] | None:
        if not self._next_is(event):
            return None
        record = self._reach(event)
        if record.changes is None:
            return None
        self._owed += record.outputs
        self._forget(record.changes)
        return [_fetched(change, event) for change in record.changes]

    def _waiting_for(self, event: Piece) -> deque[_Waiting[S]] | None:
        return self._waiting.get((event.message.key or b"").decode(errors="replace")) if self._waiting else None

    def _next_is(self, event: Piece, folded: bool = False) -> bool:
        """Return whether a fetched record is the first that its symbol waits for, and was folded if that is asked."""
        waiting = self._waiting_for(event)
        if not waiting or hash(event.message.value) != waiting[0].digest:
            return False
        if folded and waiting[0].changes is None:
            return False
        return waiting[0].offset() in (None, event.message.offset)

    def _reach(self, event: Piece) -> _Waiting[S]:
        """Wait no longer for a record that is fetched; one whose place is confirmed shows how far all is read."""
        symbol = event.message.key.decode()
        first = self._waiting[symbol].popleft()
        if first.offset() == event.message.offset:
            self._reached.add(symbol)
        return first

    def drop(self, symbol: str, now: float | None = None) -> None:
        """Forget what a symbol's records were folded to, and leave it to the fetches; some time, if `now` is given."""
        waiting = self._waiting.get(symbol)
        if not waiting or waiting[0].changes is None:  # after one that is still to be folded, all are
            return
        for record in waiting:
            self._owed += record.outputs
            for change in record.changes or ():
                self.states.pop(change.key, None)
            record.changes, record.outputs = None, ()
        if now is not None:
            self._rests[symbol] = now + REST_S

    def drop_all(self) -> None:
        """Forget what any record was folded to."""
        for symbol in list(self._waiting):
            self.drop(symbol)

    def owed(self) -> list[Delivery]:
        """Return the deliveries of the outputs of all records that were taken, or dropped, since the last call."""
        owed, self._owed = self._owed, []
        return owed

    def _forget(self, changes: Iterable[Change[S]]) -> None:
        for change in changes:
            newest = self.states.get(change.key)
            if newest is not None and newest[0] is change.offsets:
                del self.states[change.key]


def _fetched(change: Change[S], event: Piece) -> Change[S]:
    """Return a change with the place at which its record was fetched."""
    offsets = {partition: offset for partition, offset in change.offsets.items() if partition != OWN}
    offsets[event.message.partition] = event.message.offset
    value = encoded_entry(offsets, state_of(change.value))
    return Change(event=event.event, key=change.key, state=change.state, offsets=offsets, value=value)
