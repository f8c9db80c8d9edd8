"""Messages to a subscriber, and the results."""

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from alerts.rules.link import link
from topics.records import Alert

SHOWN = 5
MANY_RULES = 10


@dataclass(frozen=True)
class Message:
    """One alert, or a summary of several. `id` is the same when a message is sent again; `page` is the dashboard's
    address, to which the text links.
    """

    id: str
    alerts: tuple[Alert, ...]
    page: str
    test: bool = False

    @property
    def title(self) -> str:
        """Return its title in one line."""
        if len(self.alerts) == 1:
            alert = self.alerts[0]
            return f"{'Test: ' if self.test else ''}{alert.severity}: {alert.rule} {alert.symbol}"
        return f"{len(self.alerts)} more alerts"

    @property
    def link(self) -> str:
        """Return the link to the newest alert's page."""
        return link(self.page, self.alerts[-1])

    @property
    def text(self) -> str:
        """Return the text: the alert's message, or the counts by rule and the newest message; then the link."""
        if len(self.alerts) == 1:
            return f"{self.alerts[0].message}\n{self.link}"
        counted = Counter(alert.rule for alert in self.alerts).most_common()
        rules = ", ".join(f"{count} of {rule}" for rule, count in counted[:MANY_RULES])
        others = f" and of {len(counted) - MANY_RULES} other rules" if len(counted) > MANY_RULES else ""
        newest = "\n".join(alert.message for alert in self.alerts[-SHOWN:])
        return f"{rules}{others}. The newest:\n{newest}\n{self.link}"

    def body(self) -> bytes:
        """Return the JSON for programs: all alerts, also of a summary."""
        kind = "test" if self.test else "alert" if len(self.alerts) == 1 else "summary"
        document: dict[str, Any] = {"type": kind, "id": self.id, "title": self.title, "text": self.text}
        document |= {"link": self.link}
        return msgspec.json.encode(document | {"alerts": self.alerts})


def summary_id(alert_ids: list[str]) -> str:
    """Return the id of a summary of those alerts."""
    return f"summary-{blake2b(msgspec.json.encode(alert_ids), digest_size=12).hexdigest()}"


@dataclass(frozen=True)
class DeliveryResult:
    """The result of a delivery: `error` is None if it was delivered, else one line without secrets.

    `refused`: the message, not the connection to the subscriber, is at fault; others may succeed. `after` is the number
    of seconds that the subscriber asks to wait.
    """

    error: str | None = None
    refused: bool = False
    after: float = 0.0


class Channel(Protocol):
    """A channel to a subscriber. `at_once` messages may be in transit when the process ends, and be delivered twice."""

    at_once: int

    async def send(self, message: Message) -> DeliveryResult:
        """Send; never raises an error that the other side can cause."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
