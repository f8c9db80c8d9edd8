"""Subscribers, and the alerts that each gets."""

from msgspec import Struct

from alerts.rules.observation import chosen
from alerts.rules.rule import SEVERITIES, Severity
from topics.records import Alert


class Subscriber(Struct, frozen=True, kw_only=True):
    """A subscriber. `channel` is one of `alerts.channel_table`, `target` fit to be shown. `rules` and `symbols` are
    names or patterns, empty for all; `severity` is the least. What is over `per_minute` (after `burst` at once) waits,
    or goes as one summary.
    """

    name: str
    channel: str
    target: str
    rules: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    severity: Severity = "info"
    per_minute: float = 60.0
    burst: int = 20
    summarise: bool = False

    def wants(self, alert: Alert) -> bool:
        """Return whether the alert is for this subscriber."""
        if SEVERITIES.index(alert.severity) < SEVERITIES.index(self.severity):
            return False
        if self.rules and not chosen(self.rules, alert.rule):
            return False
        return not self.symbols or chosen(self.symbols, alert.symbol)


class Mute(Struct, frozen=True):
    """Alerts that match all its fields are not delivered."""

    rule: str | None = None
    symbol: str | None = None
    alert_id: str | None = None

    def covers(self, alert: Alert) -> bool:
        """Return whether the alert matches."""
        pairs = ((self.rule, alert.rule), (self.symbol, alert.symbol), (self.alert_id, alert.alert_id))
        return all(wanted in (None, has) for wanted, has in pairs)
