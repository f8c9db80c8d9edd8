"""Limits the messages to a subscriber: a token bucket, and summaries above its rate."""

from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(frozen=True)
class Bucket:
    """Tokens at a moment (seconds); each message takes one. It fills at `per_minute`, up to `burst`."""

    per_minute: float
    burst: int
    tokens: float
    at: float

    def filled(self, now: float) -> "Bucket":
        """Return the bucket at a later moment; a clock that went back adds nothing."""
        gained = max(0.0, now - self.at) * self.per_minute / 60
        return replace(self, tokens=min(float(self.burst), self.tokens + gained), at=now)

    def less(self, taken: int) -> "Bucket":
        """Return the bucket after this many messages."""
        return replace(self, tokens=self.tokens - taken)

    def wait(self) -> float:
        """Return the seconds until there is a whole token."""
        return max(0.0, (1 - self.tokens) * 60 / self.per_minute)


class Turn(NamedTuple):
    """What to send now: a number of single alerts, or all waiting ones as one summary."""

    singly: int = 0
    summary: bool = False


def turn(bucket: Bucket, waiting: int, summarise: bool) -> Turn:
    """Return what to send to a subscriber with this many waiting alerts. With summaries, the last token is for a
    summary if more than one alert waits.
    """
    whole = int(bucket.tokens + 1e-9)
    if not whole or not waiting:
        return Turn()
    if not summarise or waiting <= whole:
        return Turn(min(waiting, whole))
    return Turn(whole - 1) if whole > 1 else Turn(summary=True)


def back_off(failures: int, longest: float, drawn: float) -> float:
    """Return the seconds to wait after this many failures in a row: they double up to `longest`, and `drawn` (0 to 1)
    removes up to half, so that simultaneous failures are not retried together.
    """
    return min(longest, 2.0 ** min(failures - 1, 30)) * (1 - drawn / 2)
