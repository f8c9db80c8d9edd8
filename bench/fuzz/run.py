"""One run: the witnesses' bars and the fuzz go in side by side; then everything is read, counted and compared."""

import asyncio
import random
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiokafka import TopicPartition

from bench.chaos import check, feed
from bench.chaos.models import two_versions
from bench.chaos.run import ALL, NEEDED, drained
from bench.fuzz import corpus
from bench.fuzz.generate import Generator
from bench.fuzz.invariants import EVERY_S, Look
from bench.fuzz.send import Sender
from bench.fuzz.stack import FuzzedStack
from broker.decision_signature import key_of
from broker.reader import between, reader
from features.definition import Definition
from stack.sample import TRAIN_UNTIL
from topics import codec
from topics.catalog import DEAD_LETTERS, MODEL_EVENTS, MODELS, TOPICS
from topics.records import ModelEvent

STEPS_A_SECOND = 1.0
WITNESSES = ("BTCUSDT", "ETHUSDT", "TBTCUSDT", "TETHUSDT")
"""Two symbols whose bars go in, and two whose trades."""
START_S, DRAIN_S = 120.0, 900.0
MEMORY_MIB = 400.0
"""What a component may grow by after the first fifth of the run: the states of `stack.MAX_SYMBOLS` symbols in each of
five stages, of some 100 kB each, once as bytes and once decoded, are 200 MB; the rest is what unpacking holds."""
GROWING = ("worker", "persist", "alerts", "watch", "dashboard", "api")
ABOUT_LETTERS = 'SELECT "partition"::int, "offset", reason FROM dead_letters WHERE topic = %s'
"""Those about what is no letter: they are stored, and not on the topic."""
REFUSAL = re.compile(r"offset (\d+) of models is not signed")
LETTERS = """SELECT DISTINCT topic, "partition"::int, "offset" FROM dead_letters WHERE topic = ANY(%s)"""


@dataclass(kw_only=True)
class Figures:
    """What a run found. `without_letter` counts invalid records of which no dead letter tells, by topic."""

    seed: int
    minutes: float
    now: int
    sent: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    records_a_second: float = 0.0
    left_out: int = 0
    refused_by_kafka: dict[str, int] = field(default_factory=dict)
    invalid: int = 0
    unsigned: int = 0
    without_letter: dict[str, int] = field(default_factory=dict)
    letters: dict[str, int] = field(default_factory=dict)
    corpus_before: int = 0
    corpus: int = 0
    reasons: int = 0
    witness_frames: int = 0
    witness_slowest_s: float = 0.0
    waited_s: float = 0.0
    memory_mib: dict[str, dict[str, float]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    compared: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return the figures as plain values."""
        return asdict(self)

    def good(self) -> bool:
        """Return whether all held."""
        return not (self.violations or self.differences or self.without_letter)


def run(seed: int, minutes: float, folder: Path, ring: Path, now: int | None = None) -> Figures:
    """Run so long; `folder` is for models and tables, `ring` for the last inputs where something is wrong."""
    figures = Figures(seed=seed, minutes=minutes, now=now or int(time.time() * 1000))
    versions, _ = two_versions(folder / "models")
    definition = Definition.load(versions)
    steps = feed.minutes(int((minutes * 60 + 600) * STEPS_A_SECOND))
    frames = list(feed.together(steps, random.Random(seed)))  # noqa: S311 - no secret
    world = FuzzedStack(ALL, versions)
    known = corpus.load()
    figures.corpus_before = len(known)
    try:
        world.start()
        world.watch_everything()
        key = key_of(world.home)
        generator = Generator(
            seed=seed,
            begin=TRAIN_UNTIL,
            now=figures.now,
            fingerprint=definition.fingerprint,
            width=len(definition.names),
            ledger_key=key,
            corpus=known,
        )
        source = feed.Feed(
            bootstrap=world.settings.broker, frames=frames, pause_s=len(steps) / len(frames) / STEPS_A_SECOND
        )
        thread = source.start()
        look = _begun(world, source)
        sender = Sender(
            address=world.settings.broker, generator=generator, witnesses=frozenset(WITNESSES), may=lambda: look.near
        )
        try:
            _fuzz(figures, look, sender, minutes)
        finally:
            _note(figures, look, sender)
            if figures.violations:
                sender.write_ring(ring)
                print(f"the last {len(sender.ring)} inputs are in {ring}", flush=True)
        frames = frames[: source.end(thread)]
        figures.witness_frames = len(frames)
        if not figures.violations:
            _finish(figures, world, look, sender)
            check.dump(world.database, folder / "found", WITNESSES)
        else:
            print(world.states(), flush=True)
    finally:
        world.stop()
    if not figures.violations:
        figures.compared = _undisturbed(versions, frames, folder / "expected")
        figures.differences = check.differences(folder / "found", folder / "expected")
    return figures


def _begun(world: FuzzedStack, source: feed.Feed) -> Look:
    """Wait until the witnesses' first predictions are stored: so they have a state before the fuzz takes the room."""
    begun = time.monotonic()
    while time.monotonic() - begun < START_S:
        ((series,),) = world.asked(
            "SELECT count(DISTINCT symbol) FROM predictions WHERE symbol = ANY(%s)", list(WITNESSES)
        )
        if series == len(WITNESSES):
            look = Look(world=world, witnesses=WITNESSES, sent_time=lambda: source.sent_time)
            look.remember("begin")
            return look
        time.sleep(1.0)
    raise AssertionError(f"no predictions of the witnesses after {START_S:.0f} s: {world.states()}; {world.logged()}")


def _fuzz(figures: Figures, look: Look, sender: Sender, minutes: float) -> None:
    thread, begun = sender.start(), time.monotonic()
    reporter = begun
    while time.monotonic() - begun < minutes * 60 and not sender.failed:
        time.sleep(EVERY_S)
        figures.violations = look.wrong()
        spent = time.monotonic() - begun
        if "a fifth" not in look.memory and spent > minutes * 12:
            look.remember("a fifth")
        if figures.violations:
            break
        if time.monotonic() - reporter > 30:
            reporter = time.monotonic()
            print(
                f"{spent:5.0f} s: {sender.sent.total()} sent ({sender.sent.total() / spent:.0f}/s), "
                f"{len(sender.new)} reasons, {sender.letters.total()} letters, slowest witness {look.slowest_s:.0f} s, "
                f"waited {sender.waited_s:.0f} s, {look.world.memory()}",
                flush=True,
            )
    figures.records_a_second = round(sender.sent.total() / (time.monotonic() - begun), 1)
    sender.end(thread)


def _note(figures: Figures, look: Look, sender: Sender) -> None:
    look.remember("end")
    for partition, offset, reason in look.world.asked(ABOUT_LETTERS, DEAD_LETTERS.name):
        sender.take((DEAD_LETTERS.name, partition, offset), reason)
    figures.sent, figures.refused_by_kafka = dict(sender.sent), dict(sender.refused)
    figures.kinds = dict(sender.generator.kinds)
    figures.left_out, figures.waited_s = sender.left_out, round(sender.waited_s, 1)
    figures.invalid, figures.unsigned = len(sender.invalid), len(sender.unsigned)
    figures.letters = {f"{topic}: {reason}": count for (topic, reason), count in sorted(sender.letters.items())}
    figures.reasons = len(sender.new)
    figures.corpus = corpus.save(sender.new)
    figures.witness_slowest_s, figures.memory_mib = round(look.slowest_s, 1), look.memory


def _finish(figures: Figures, world: FuzzedStack, look: Look, sender: Sender) -> None:
    """Wait until everything is read, then look at everything once more."""
    try:
        drained(world, DRAIN_S, universe=True)
    except AssertionError as error:
        figures.violations.append(str(error))
        return
    figures.violations = look.wrong(everything=True)
    look.remember("worked off")
    figures.memory_mib = look.memory
    early, late = look.memory.get("a fifth", look.memory["begin"]), look.memory["worked off"]
    for name in GROWING:
        if late[name] - early[name] > MEMORY_MIB:
            figures.violations.append(f"{name} has grown from {early[name]} to {late[name]} MiB")
    figures.violations += [f"a record of the stack's own is none to it: {line}" for line in sender.own()[:20]]
    figures.without_letter = dict(_untold(world, sender))
    tables = ("ticks", "bars", "features", "regimes", "predictions", "outcomes", "alerts", "gaps", "drift")
    for table in (*tables, "model_events", "dead_letters"):
        ((figures.rows[table],),) = world.asked(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours


def _untold(world: FuzzedStack, sender: Sender) -> Counter[str]:
    """Return by topic how many invalid records have no letter, and how many unsigned decisions no refusal."""
    messages = set(world.asked(LETTERS, [topic.name for topic in TOPICS]))
    missing = [place for place in sender.invalid if place not in messages]
    values = Counter(topic for topic, _, _ in missing)
    if missing:
        print("without a letter:", [(place, sender.invalid[place]) for place in missing[:20]], flush=True)
    silent = sender.unsigned - asyncio.run(_refusals(world))
    if silent:
        print(f"{len(silent)} of {len(sender.unsigned)} unsigned decisions have no event: {sorted(silent)[:20]}")
        values[f"{MODELS.name}, unsigned"] = len(silent)
    return values


async def _refusals(world: FuzzedStack) -> set[int]:
    """Return the offsets of decisions that the events on the topic tell of as refused, in readable records."""
    async with reader(world.settings.broker) as consumer:
        part = [TopicPartition(MODEL_EVENTS.name, 0)]
        starts, ends = await consumer.beginning_offsets(part), await consumer.end_offsets(part)
        results = set()
        async for message in between(consumer, starts, ends):
            for event in codec.decode(message.value, ModelEvent, message.headers).records:
                match = REFUSAL.match(event.reason or "")
                if event.event == "refused" and match:
                    results.add(int(match[1]))
        return results


def _undisturbed(versions: Path, frames: list[feed.Frame], folder: Path) -> dict[str, int]:
    """Send the witnesses' records alone through a stack of its own, and write its tables down."""
    world = FuzzedStack(NEEDED, versions)
    try:
        world.start()
        source = feed.Feed(bootstrap=world.settings.broker, frames=list(feed.regrouped(frames, 200)))
        source.end(source.start(), all_of_it=True)
        drained(world, DRAIN_S, universe=True)
        return check.dump(world.database, folder, WITNESSES)
    finally:
        world.stop()
