"""What goes to a subscriber, and what comes back."""

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from topics.records import Alert

SHOWN = 5
MANY_RULES = 10


@dataclass(frozen=True)
class Message:
    """One alert, or a summary of several. `id` is the same whenever the same is sent again."""

    id: str
    alerts: tuple[Alert, ...]
    test: bool = False

    @property
    def title(self) -> str:
        """Return a line that says what it is."""
        if len(self.alerts) == 1:
            alert = self.alerts[0]
            return f"{'Test: ' if self.test else ''}{alert.severity}: {alert.rule} {alert.symbol}"
        return f"{len(self.alerts)} more alerts"

    @property
    def text(self) -> str:
        """Return what people read: the alert's words, or how many of which rule there are, and the newest words."""
        if len(self.alerts) == 1:
            return self.alerts[0].message
        counted = Counter(alert.rule for alert in self.alerts).most_common()
        rules = ", ".join(f"{count} of {rule}" for rule, count in counted[:MANY_RULES])
        others = f" and of {len(counted) - MANY_RULES} other rules" if len(counted) > MANY_RULES else ""
        newest = "\n".join(alert.message for alert in self.alerts[-SHOWN:])
        return f"{rules}{others}. The newest:\n{newest}"

    def body(self) -> bytes:
        """Return what programs read, as JSON: all alerts, whatever a summary says in words."""
        kind = "test" if self.test else "alert" if len(self.alerts) == 1 else "summary"
        document: dict[str, Any] = {"type": kind, "id": self.id, "title": self.title, "text": self.text}
        return msgspec.json.encode(document | {"alerts": self.alerts})


def summary_id(alert_ids: list[str]) -> str:
    """Return the id of a summary of those alerts."""
    return f"summary-{blake2b(msgspec.json.encode(alert_ids), digest_size=12).hexdigest()}"


@dataclass(frozen=True)
class Answer:
    """What became of a message: `error` is None where it was delivered, else one line without secrets.

    `refused`: the message, not the way to the subscriber, is at fault; others may go through. `after` is how many
    seconds the subscriber asks to be left alone.
    """

    error: str | None = None
    refused: bool = False
    after: float = 0.0


class Channel(Protocol):
    """A way to a subscriber. `at_once` messages may be under way when the process ends, and come twice."""

    at_once: int

    async def send(self, message: Message) -> Answer:
        """Send; never raises what the other side can cause."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
