"""Times of the data as they are written on the page: in UTC, or in the time zone of the browser."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard.live.view_state import CLOCKS
from dashboard.number_format import DASH

MOMENT = "%d %b %Y %H:%M"


@dataclass(frozen=True)
class Clock:
    """A time zone: its name for the browser, and itself."""

    name: str = "UTC"
    zone: tzinfo = UTC

    def at(self, ms: float) -> datetime:
        """Return a time [epoch ms] in the zone."""
        return datetime.fromtimestamp(ms / 1000, self.zone)

    def moment(self, ms: float | None) -> str:
        """Return a time with its date and the zone; None is a dash."""
        return DASH if ms is None else f"{self.at(ms):{MOMENT} %Z}"

    def brief(self, ms: float, beside: float, zone: str = " %Z") -> str:
        """Return a time with the zone, and with its date if that is another than that of the time `beside`."""
        time = self.at(ms)
        return f"{time:%H:%M{zone}}" if time.date() == self.at(beside).date() else f"{time:{MOMENT}{zone}}"

    def day(self, ms: float) -> str:
        """Return a time's day, as in 3 June 2025."""
        time = self.at(ms)
        return f"{time.day} {time:%B %Y}"

    def short(self) -> str:
        """Return what stands beside a plot for the zone."""
        return self.name.rpartition("/")[2].replace("_", " ")


def clock_of(choice: str, zone: str) -> Clock:
    """Return the chosen clock; `zone` is what the browser calls its own, UTC where that is not known here."""
    if choice != CLOCKS[1]:
        return Clock()
    try:
        return Clock(zone, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Clock()
