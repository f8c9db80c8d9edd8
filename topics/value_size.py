"""The limits of one value on a topic. A value beyond them becomes one dead letter, whatever its content."""

from dataclasses import dataclass

from topics.catalog import MAX_MESSAGE_BYTES


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The most `bytes` and `rows` of a value, the most pairs of symbol and interval (`series`) in it, and how many of
    its invalid parts are reported one by one (`rejected`).

    `ahead_ms` is how much later than the broker's clock a record's time may be.
    """

    bytes: int = 2 * MAX_MESSAGE_BYTES
    rows: int = 100_000
    series: int = 1_000
    rejected: int = 100
    ahead_ms: int = 86_400_000

    def latest(self, time_ms: float) -> int | None:
        """Return the latest time (epoch ms) in a message of that time, None if the broker gave no time."""
        return int(time_ms) + self.ahead_ms if time_ms > 0 else None


BOUNDS = Bounds()
"""The default limits."""
