"""The interface of a stage for the shell: a pure step, its input topic and its state's key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from topics.catalog import Topic

S = TypeVar("S")
R = TypeVar("R", bound=Struct)

Output = tuple[Topic, Sequence[Struct]]
"""A topic, and records of one key."""


@dataclass(frozen=True, kw_only=True)
class Part(Generic[R]):
    """The records of one symbol and interval in one Kafka record, their indices (rows) in it, and its origin."""

    partition: int
    offset: int
    timestamp: int
    rows: list[int] = field(default_factory=list)
    records: list[R] = field(default_factory=list)


class Stage(Protocol[R, S]):
    """A pure step adapted to the shell."""

    name: str

    @property
    def source(self) -> Topic:
        """The input topic."""
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
        """Return the latest time (epoch ms) in the state, with which rows are compared; -1: none."""
        ...

    def step(self, state: S, parts: Sequence[Part[R]]) -> tuple[S, list[Output]]:
        """Fold the parts, in order, into the state; return what to publish."""
        ...
