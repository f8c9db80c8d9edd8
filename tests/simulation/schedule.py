"""One schedule: everything that happens is drawn from its seed."""

import random
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from functools import cache
from typing import Any

from faust.types import TP

from simulation import pipeline
from simulation.auditor import Auditor, RuleError
from simulation.broker import SESSION_S, Broker, Group
from simulation.loop import Loop, owner
from simulation.pipeline import Database, Pipeline
from simulation.worker import PARTITIONS, Agent, Worker, expected
from stream.shell import Shell

FAULTS_S = 1.5
"""For so long (of the loop's time) there are faults; then all runs until it is done."""
LATEST_S = 40.0
"""What is not done by then, is stuck."""


class Audited(Shell[Any, Any]):
    """The shell, of which the auditor sees what it folds."""


class AuditedStage:
    """A stage whose steps the auditor sees."""

    def __init__(self, stage: Any, auditor: Auditor) -> None:
        self._stage, self._auditor = stage, auditor
        self.name, self.source = stage.name, stage.source
        self.key, self.check, self.load, self.dump = stage.key, stage.check, stage.load, stage.dump
        self.newest = stage.newest

    def step(self, state: Any, parts: Any) -> Any:
        """Fold, and tell."""
        state, made = self._stage.step(state, parts)
        key = self._stage.key(parts[0].records[0])
        self._auditor.folded(owner.get(), self.name, key, parts, made)
        return state, made


class Schedule:
    """A run of one pipeline on one seed. `worker` is what its processes are, for the planted defects."""

    def __init__(
        self, seed: int, worker: type[Worker] = Worker, calm: bool = False, which: Pipeline | None = None
    ) -> None:
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311 - it is to be repeated
        draw = self.random.random
        self.calm, self._worker = calm, worker
        self.pipeline = which or (pipeline.bars() if seed % 4 == 3 else pipeline.ticks())
        self.loop = Loop(self.random, 0.0 if calm else self.random.choice((0.1, 0.5, 1.0)))
        self.auditor, self.database = Auditor(), Database()
        slow = 0.0 if calm else self.random.choice((0.0, 0.03, 0.15))
        self.broker = Broker(
            loop=self.loop,
            random=self.random,
            slow=slow,
            appended=self.auditor.appended,
            committing=self.auditor.committing,
        )
        self.auditor.broker = self.broker
        self.stored = calm or draw() < 0.2
        self.stages = [AuditedStage(stage, self.auditor) for stage in self.pipeline.stages()]
        self.auditor.stages = {stage.source.name: stage.name for stage in self.stages}
        self.group = Group(
            self.broker,
            "worker",
            [
                frozenset({TP(stage.source.name, number), TP(f"{stage.name}-changelog", number)})
                for stage in self.stages
                for number in range(PARTITIONS)
            ],
        )
        stored = [
            TP(topic.name, number)
            for topic in self.pipeline.stored
            for number in range(min(topic.partitions, PARTITIONS))
        ]
        self.storing = Group(self.broker, "persist", [frozenset({tp}) for tp in stored])
        self.running: dict[str, Worker] = {}
        self.ended: list[str] = []
        self._sent = False

    def run(self) -> dict[str, Any]:
        """Run it, and return what came of it. Raises RuleError if a rule was broken."""
        self.loop.run(self._start)
        for error in self.loop.errors:
            failed = error.get("exception")
            if failed is not None and not expected(failed):
                failed.add_note(f"{error.get('message')}, seed {self.seed}")
                raise failed  # a mistake, here or in the product, and no rule that was broken
        if not self._done():
            behind = {
                tp: (self.broker.committed.get(("worker", tp), 0), len(log)) for tp, log in self.broker.logs.items()
            }
            raise RuleError(f"stuck at {self.loop.time():.1f} s: {behind}")
        return self.auditor.outcome(self.database)

    def _start(self) -> None:
        at = 0.0
        inputs = iter(self.pipeline.records())

        def arrive() -> None:  # the next, whichever timer it was: what goes in has one order
            partition, record = next(inputs)
            self.broker.append(TP(self.pipeline.source.name, partition), record)

        for _ in self.pipeline.frames:
            at += 0.01 if self.calm else self.random.random() * self.random.choice((0.0, 0.02, 0.15))
            self._later(at, arrive)
        self._later(at + 0.1, self._all_sent)
        for number in range(1 if self.calm else self.random.choice((1, 2, 2, 3))):
            self._begin(f"worker {number}")
        if self.stored:
            self._begin("persist")
        if not self.calm:
            for _ in range(self.random.randint(1, 6)):
                self._later(self.random.random() * FAULTS_S, self._fault)
        self._later(0.25, self._look)

    def _all_sent(self) -> None:
        self._sent = True

    def _later(self, delay: float, work: Callable[[], None]) -> None:
        self.loop.call_later(delay, work, context=Context())

    def _agents(self, name: str) -> list[Agent]:
        if name == "persist":
            return [pipeline.store_agent(topic, self.database) for topic in self.pipeline.stored]
        return [pipeline.shell_agent(stage) for stage in self.stages]

    def _begin(self, name: str) -> None:
        if name in self.running:
            return
        group = self.storing if name == "persist" else self.group
        made = self._worker(name, self.broker, group, self._agents(name), self._failed)
        made.met = lambda what: self.auditor.met.update([what])
        self.running[name] = made
        Context().run(made.start)

    def _failed(self, worker: Worker, error: BaseException) -> None:
        if not expected(error):
            self.loop.errors.append({"message": f"{worker.process.name} failed", "exception": error})
        self._kill(worker.process.name)

    def _kill(self, name: str) -> None:
        worker = self.running.pop(name, None)
        if worker is None:
            return
        self.auditor.killed(worker.process)
        if worker.recovering:
            self.auditor.met["a crash during a recovery"] += 1
        worker.process.kill()
        self._later(SESSION_S, lambda: worker.group.lost(worker.process))
        self._later(self.random.random() * 1.5 * SESSION_S, lambda: self._begin(name))

    def _fault(self) -> None:
        name = self.random.choice(sorted(self.running) or ["worker 0"])
        worker = self.running.get(name)
        draw = self.random.random()
        if draw < 0.4:
            self._kill(name)
        elif draw < 0.6 and worker is not None:
            self._pause(worker, self.random.choice((0.2, 0.7, 2 * SESSION_S)))
        elif draw < 0.7 and len(self.running) < 4:
            self._begin(f"worker {self.random.randint(0, 3)}")
        else:
            (worker.group if worker is not None else self.group).rebalance()

    def _pause(self, worker: Worker, seconds: float) -> None:
        process = worker.process
        process.paused_until = self.loop.time() + seconds
        if seconds > SESSION_S:
            self._later(SESSION_S, lambda: worker.group.lost(process))
            self._later(seconds, lambda: self._awake(worker))

    def _awake(self, worker: Worker) -> None:
        """See whether what it held is another's by now."""
        mine = worker.app.consumer.assignment() if worker.process.alive else set()
        if any(held & mine for process, held in worker.group.held.items() if process is not worker.process):
            self.auditor.met["two workers that hold the same partition"] += 1

    def _look(self) -> None:
        if (self._sent and (self.calm or self.loop.time() > FAULTS_S) and self._done()) or self.loop.time() > LATEST_S:
            self.loop.stop()
        else:
            self._later(0.25, self._look)

    def _done(self) -> bool:
        committed = self.broker.committed
        reached = all(
            committed.get((group.name, tp), 0) == len(self.broker.logs[tp])
            for group in ((self.group, self.storing) if self.stored else (self.group,))
            for unit in group.units
            for tp in unit
            if not tp.topic.endswith("-changelog")
        )
        return self._sent and reached


@cache
def undisturbed(which: Callable[[], Pipeline]) -> dict[str, Any]:
    """Return what comes of a pipeline when nothing happens."""
    return Schedule(0, calm=True, which=which()).run()


def check(seed: int, worker: type[Worker] = Worker) -> Counter[str]:
    """Run a schedule and compare it with the undisturbed run; return the rare states that it met.

    Raises RuleError, which names the seed.
    """
    schedule = Schedule(seed, worker)
    calm = undisturbed(pipeline.bars if schedule.pipeline is pipeline.bars() else pipeline.ticks)
    try:
        values = schedule.run()
        for part, wanted in calm.items():
            if (part != "stored" or schedule.stored) and values[part] != wanted:
                raise RuleError(f"{part}: {difference(values[part], wanted)}")
    except RuleError as error:
        raise RuleError(f"seed {seed}: {error}; alone: python -m tests.simulation {seed}") from error
    return schedule.auditor.met


def difference(values: dict[Any, Any], wanted: dict[Any, Any]) -> str:
    """Say in short where two results differ."""
    for place in {**wanted, **values}:
        ours, theirs = values.get(place), wanted.get(place)
        if ours != theirs:
            if isinstance(ours, dict) and isinstance(theirs, dict):
                return f"{place}: {difference(ours, theirs)}"
            return f"{place} is {str(ours)[:300]}, undisturbed {str(theirs)[:300]}"
    return "equal"
