"""What the shell asks of a stage: a pure step, with what it reads and whose state it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from topics.catalog import Topic

S = TypeVar("S")
R = TypeVar("R", bound=Struct)

Output = tuple[Topic, Sequence[Struct]]
"""A topic, and records of one key."""


@dataclass(frozen=True)
class Part(Generic[R]):
    """The records of one symbol and interval in one Kafka record, their places (rows) in it, and where it lies."""

    partition: int
    offset: int
    timestamp: int
    rows: list[int] = field(default_factory=list)
    records: list[R] = field(default_factory=list)


class Stage(Protocol[R, S]):
    """A pure step dressed for the shell."""

    name: str

    @property
    def source(self) -> Topic:
        """The topic that it reads."""
        ...

    def key(self, record: R) -> tuple[str, str]:
        """Return the symbol and interval whose state the record belongs to."""
        ...

    def check(self, record: R) -> str | None:
        """Return why the record cannot be used here, or None."""
        ...

    def load(self, key: tuple[str, str], state: bytes | None) -> S:
        """Return the state from its bytes, or the initial one."""
        ...

    def dump(self, state: S) -> bytes:
        """Return the state's bytes, exactly."""
        ...

    def newest(self, state: S) -> int:
        """Return the latest time (epoch ms) that the state knows, by which later rows are newer or not; -1: none."""
        ...

    def step(self, state: S, parts: Sequence[Part[R]]) -> tuple[S, list[Output]]:
        """Fold the parts, in order, into the state; return what to publish."""
        ...
