"""What must hold in every schedule: at each record that is appended, each offset that is committed, and at the end."""

from collections import Counter, defaultdict
from typing import Any

import msgspec
from faust.types import TP
from msgspec import Struct

from simulation.broker import Broker, Record
from simulation.loop import Process
from simulation.pipeline import Database, identity
from stream.own_records import OWN
from stream.shell import Part
from stream.state_tables import Entry

_entry = msgspec.msgpack.Decoder(Entry)
Place = tuple[str, int]
"""A stage's name, and a partition of its source."""


class RuleError(AssertionError):
    """A schedule broke a rule."""


class Auditor:
    """Sees all that the broker sees. `met` counts the rare states that were reached."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self.rows: defaultdict[str, dict[Any, Struct]] = defaultdict(dict)
        self.order: defaultdict[tuple[str, Any], list[Any]] = defaultdict(list)
        self.states: dict[tuple[str, bytes], Entry] = {}
        self.raw: dict[tuple[str, bytes], bytes] = {}
        self.due: defaultdict[Place, dict[int, dict[bytes, set[Any]]]] = defaultdict(lambda: defaultdict(dict))
        self.folded_by: defaultdict[Process, set[tuple[Place, int, bytes]]] = defaultdict(set)
        self.at_once: defaultdict[Process, dict[tuple[str, Any], set[Any]]] = defaultdict(dict)
        self.stages: dict[str, str] = {}
        self.broker: Broker

    def appended(self, tp: TP, record: Record) -> None:
        """Look at a record that comes onto a topic."""
        if tp.topic.endswith("-changelog"):
            entry = _entry.decode(record.value)
            known = self.states.get((tp.topic, record.key))
            if known is not None and known.offsets.get(tp.partition, -1) > entry.offsets.get(tp.partition, -1):
                self.met["an older state written after a newer one"] += 1
            else:
                self.states[tp.topic, record.key] = entry
            return
        if record.made is None:
            return
        topic, records = record.made
        known = self.rows[topic.name]
        repeated = False
        for one in records:
            name = identity(topic.name, one)
            if name in known:
                repeated = True
                if known[name] != one:
                    raise RuleError(f"{topic.name} {name} came as {one} after {known[name]}")
            else:
                known[name] = one
                if topic.name != "dead-letters":
                    self.order[topic.name, name[0]].append(name)
        if repeated:
            self.met["a duplicate frame"] += 1

    def folded(
        self, process: Process | None, stage: str, key: tuple[str, str], parts: list[Part[Any]], made: Any
    ) -> None:
        """Note what a stage made of parts: it is due before their offset is committed."""
        if process is None:
            return
        last = parts[-1]
        table_key = "|".join(key).encode()
        names = {(topic.name, identity(topic.name, one)) for topic, records in made for one in records}
        if last.partition == OWN:
            self.met["a record folded before its fetch"] += 1
            source = next(topic for topic, name in self.stages.items() if name == stage)
            inputs = [identity(source, one) for part in parts for one in part.records]
            self.at_once[process].update(dict.fromkeys(((stage, one) for one in inputs), names))
            return
        by_key = self.due[stage, last.partition][last.offset]
        by_key.setdefault(table_key, set()).update(names)
        self.folded_by[process].add(((stage, last.partition), last.offset, table_key))

    def written(self, stage: str, partition: int, offset: int, key: bytes) -> bool:
        """Return whether the changelog holds a state of that key that has seen the offset."""
        entry = self.states.get((f"{stage}-changelog", key))
        return entry is not None and entry.offsets.get(partition, -1) >= offset

    def delivered(self, names: set[Any]) -> bool:
        """Return whether all these outputs are on their topics."""
        return all(name in self.rows[topic] for topic, name in names)

    def committing(self, process: Process, group: str, offsets: dict[TP, int]) -> None:
        """Refuse an offset that counts before what was made of the records before it."""
        for tp, offset in offsets.items():
            stage = self.stages.get(tp.topic)
            if group != "worker" or stage is None:
                continue
            for record in self.broker.logs[tp][self.broker.committed.get((group, tp), 0) : offset]:
                for table_key in self.keys_of(stage, record):
                    if not self.written(stage, tp.partition, record.offset, table_key):
                        place = f"{tp.topic} {tp.partition} at {offset}"
                        raise RuleError(f"{process.name} commits {place} before the state of {record.offset}")
                for one in record.made[1] if record.made is not None else ():
                    if not self.delivered(self.at_once[process].get((stage, identity(tp.topic, one)), ())):
                        raise RuleError(f"{process.name} commits {record.offset} of {tp.topic} before its outputs")
            for folded, due in self.due[stage, tp.partition].items():
                if folded < offset and not all(map(self.delivered, due.values())):
                    raise RuleError(
                        f"{process.name} commits {tp.topic} {tp.partition} at {offset} before the outputs of {folded}"
                    )

    def keys_of(self, stage: str, record: Record) -> list[bytes]:
        """Return the table's keys that a record of a stage's source belongs to."""
        return [record.key + b"|1m"] if stage else []

    def killed(self, process: Process) -> None:
        """Note in which state a process dies."""
        for (stage, partition), offset, key in self.folded_by[process]:
            names = self.due[stage, partition][offset][key]
            written = self.written(stage, partition, offset, key)
            if names and self.delivered(names) and not written:
                self.met["a crash between outputs delivered and state written"] += 1
            topic = next(topic for topic, name in self.stages.items() if name == stage)
            if written and self.broker.committed.get(("worker", TP(topic, partition)), 0) <= offset:
                self.met["a crash between state written and offset committed"] += 1

    def outcome(self, database: Database) -> dict[str, Any]:
        """Return what must be the same whatever happened on the way."""
        return {
            "rows": {topic: dict(sorted(rows.items())) for topic, rows in sorted(self.rows.items())},
            "states": {place: entry.state for place, entry in sorted(self.states.items())},
            "order": dict(sorted(self.order.items())),
            "stored": {topic: dict(sorted(rows.items())) for topic, rows in sorted(database.rows.items())},
        }
