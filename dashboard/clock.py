"""Times of the data as they are written on the pages: in UTC, or in the time zone of the browser."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard.number_format import DASH

CLOCKS = ("UTC", "local")
"""In which time zone times are shown; local is the browser's."""
MOMENT = "%d %b %Y %H:%M"


TIME = re.compile(r'(<time datetime="([^"]+)" data-form="([^"]+)">)[^<]*')
ZONE = re.compile(r'(<span class="zone">)[^<]*')
"""What `dashboard.html` writes for a time and for the zone of the times around it."""


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

    def localised(self, html: str) -> str:
        """Return a text whose times, and what it says of their zone, are in this one; it was written in UTC."""
        if self.zone is UTC:
            return html
        html = TIME.sub(lambda one: f"{one[1]}{datetime.fromisoformat(one[2]).astimezone(self.zone):{one[3]}}", html)
        return ZONE.sub(lambda one: one[1] + escape(self.short()), html)


def clock_of(choice: str, zone: str) -> Clock:
    """Return the chosen clock; `zone` is what the browser calls its own, UTC where that is not known here."""
    if choice != CLOCKS[1]:
        return Clock()
    try:
        return Clock(zone, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Clock()
