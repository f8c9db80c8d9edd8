"""The inputs, one after the other, by a seed: made, mutated, or out of the corpus and mutated further."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from bench.fuzz.build import SYMBOLS, Builder
from bench.fuzz.mutate import TEXTS, mutated
from broker.decision_signature import signed
from topics import codec
from topics.catalog import MAX_MESSAGE_BYTES, MODELS, TOPICS, Topic

Headers = list[tuple[str, bytes | None]]

LARGEST = MAX_MESSAGE_BYTES - 100_000
POOL = 4_000
"""Inputs that are mutated further, at most."""
BOMB = b"0" * (40 << 20)
COMPRESSIONS = ("zstd", None, "gzip", "lz4", "snappy")
ROWS = (2, 2, 3, 5, 20, 100)


@dataclass(frozen=True, kw_only=True)
class Input:
    """What is sent: `number` counts from 0, `compression` is the batch's."""

    number: int
    topic: Topic
    partition: int
    key: bytes | None
    headers: Headers
    value: bytes | None
    compression: str | None = "zstd"
    kind: str = "mutated"


@dataclass(kw_only=True)
class Generator:
    """Makes inputs. The `number`-th depends on the seed, the number, the times and keys given, and what was kept.

    What was kept, and before which number, is in `kept`: with it the same inputs are made again, byte by byte.
    """

    seed: int
    begin: int
    now: int
    fingerprint: str
    width: int
    ledger_key: bytes = b""
    corpus: Sequence[Input] = ()
    number: int = 0
    kept: list[tuple[int, int]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._pool = list(self.corpus)

    def __iter__(self) -> Iterator[Input]:
        while True:
            yield self.next()

    def keep(self, result: Input) -> None:
        """Mutate an input further from now on; the oldest kept is forgotten where there are many."""
        self.kept.append((self.number, result.number))
        self._pool.append(result)
        if len(self._pool) > POOL:
            del self._pool[len(self.corpus)]

    def next(self) -> Input:
        """Return the next input."""
        chance = Random(f"{self.seed}/{self.number}")  # noqa: S311 - no secret
        builder = Builder(
            chance=chance,
            begin=self.begin,
            now=self.now,
            fingerprint=self.fingerprint,
            width=self.width,
            number=self.number,
        )
        topic = TOPICS[self.number % len(TOPICS)]
        kind, value, compression = self._value(chance, builder, topic)
        partition = chance.randrange(topic.partitions)
        key, headers = self._key(chance), self._headers(chance, topic, value)
        if key is None and value is None:
            key = b""  # aiokafka sends nothing that has neither
        result = Input(
            number=self.number,
            topic=topic,
            partition=partition,
            key=key,
            headers=headers,
            value=value,
            compression=compression,
            kind=kind,
        )
        self.number += 1
        self.kinds[kind] += 1
        return result

    def _value(self, chance: Random, builder: Builder, topic: Topic) -> tuple[str, bytes | None, str | None]:
        """Return the kind, the value and the compression."""
        compression = chance.choice(COMPRESSIONS)
        kind = chance.random()
        if kind < 0.0015:
            return self._huge(kind, chance, builder, topic)
        if kind < 0.02:
            return "tombstone", chance.choice((None, b"")), compression
        if kind < 0.30 and self._pool:
            return "corpus", mutated(*self._two(chance, builder, topic), chance), compression
        value = self._fresh(chance, builder, topic)
        if kind < 0.40:
            return "valid", value, compression
        return "mutated", mutated(value, self._fresh(chance, builder, topic), chance), compression

    def _huge(self, kind: float, chance: Random, builder: Builder, topic: Topic) -> tuple[str, bytes, str]:
        """Return what unpacks to more than may be, is just below what a message may have, or has thousands of rows."""
        if kind < 0.0003:
            return "bomb", BOMB, chance.choice(("zstd", "gzip", "lz4"))
        if kind < 0.0010:
            return "large", _large(chance, builder, topic), "zstd"
        rows = [builder.of(topic.record) for _ in range(chance.choice((1_000, 3_000)))]
        return "many rows", codec.encode(rows)[:LARGEST], "zstd"

    def _fresh(self, chance: Random, builder: Builder, topic: Topic) -> bytes:
        rows = 1 if chance.random() < 0.8 else chance.choice(ROWS)
        if rows > 1 and chance.random() < 0.7:
            builder.series()
        return codec.encode([builder.of(topic.record) for _ in range(rows)])

    def _two(self, chance: Random, builder: Builder, topic: Topic) -> tuple[bytes, bytes]:
        """Return two values of the corpus, mostly of this topic."""
        chosen = [chance.choice(self._pool) for _ in range(12)]
        chosen.sort(key=lambda one: one.topic is not topic)
        values = [one.value or b"" for one in chosen[:2]]
        return values[0] or self._fresh(chance, builder, topic), values[1]

    def _key(self, chance: Random) -> bytes | None:
        kind = chance.random()
        if kind < 0.6:
            return chance.choice(SYMBOLS).encode()
        if kind < 0.75:
            return None
        if kind < 0.76:
            return b"k" * 10_000
        if kind < 0.9:
            return chance.choice((b"BTCUSDT", b"gbm", b"", b"\xff\xfe", b"\x00"))
        return chance.choice((chance.randbytes(8), chance.choice(TEXTS).encode()))

    def _headers(self, chance: Random, topic: Topic, value: bytes | None) -> Headers:
        headers: Headers = list(codec.HEADERS)
        kind = chance.random()
        if kind < 0.10:
            headers = chance.choice(
                (
                    [],
                    [(codec.VERSION_HEADER, chance.choice((b"2", b"", b"\xff", b"1 ", b"9" * 1_000, b"\x1b[2J")))],
                    [(codec.VERSION_HEADER, None)],
                    [*codec.HEADERS, (codec.VERSION_HEADER, b"0")],
                    [(codec.VERSION_HEADER, b"0"), *codec.HEADERS],
                    [("content-encoding", b"zstd"), *codec.HEADERS],
                    [(chance.choice(TEXTS) or "h", chance.randbytes(9)) for _ in range(100)],
                )
            )
        if kind > 0.9:
            since = chance.choice((b"0", b"-1", b"9" * 30, b"x", b"\xff", b"", str(self.now).encode(), b"1e3", b"1_0"))
            headers = [*headers, (codec.ARRIVED_HEADER, since)]
        if topic is MODELS and chance.random() < 0.5 and not self._decision(value, headers):
            headers = [*headers, signed(self.ledger_key, value or b"")]
        return headers

    def _decision(self, value: bytes | None, headers: Headers) -> bool:
        """Return whether it holds a decision: with the ledger's signature that would be the ledger's own."""
        return bool(codec.decode(value, MODELS.record, headers).records)


def _large(chance: Random, builder: Builder, topic: Topic) -> bytes:
    """Return a value just below what a message may have."""
    kind = chance.random()
    if kind < 0.4:
        return chance.randbytes(LARGEST)
    if kind < 0.7:
        return b"[" + b"1," * (LARGEST // 2 - 1) + b"1]"
    one = codec.encode([builder.of(topic.record)])
    return one[:-1] + b',"fuzz":"' + b"x" * (LARGEST - len(one) - 20) + b'"}'
