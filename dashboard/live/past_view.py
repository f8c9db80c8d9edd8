"""Where in the past the viewer looks, and its form in the page's address: times of minutes, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

MINUTE = 60_000
LAST = 7_258_118_400_000
"""The end of the year 2199 [epoch ms]."""
ADDRESS = "%Y-%m-%dT%H:%MZ"
SPELLED = ("%d %B %Y", "%d %b %Y", "%d %B %Y %H:%M", "%d %b %Y %H:%M")
EXPECTED = "a date such as 2025-06-03 or 2025-06-03 14:05"


@dataclass(frozen=True, kw_only=True)
class PastView:
    """The middle `at` of what is looked at [epoch ms], None for the newest bars; `bars` is how wide it is, None as the
    span says. In a replay `at` is the middle of its window, and `replay` the moment that is shown [epoch ms]."""

    at: int | None = None
    bars: int | None = None
    replay: int | None = None


def moment_of(text: str, zone: tzinfo = UTC) -> int:
    """Return a time [epoch ms, of a minute] as it is typed or written in an address; `zone` is where none is said.

    Raises ValueError if it is none.

    >>> moment_of("3 June 2025 14:05") == moment_of("2025-06-03T14:05Z") == moment_of("2025-06-03 14:05")
    True
    """
    plain = " ".join(text.split())
    spelled = f"{plain.removesuffix('UTC').rstrip()}Z" if plain.endswith("UTC") else plain
    try:
        time = _read(spelled)
        ms = (time if time.tzinfo else time.replace(tzinfo=zone)).timestamp() * 1000
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{text[:40]!r} is no time") from error
    if not 0 <= ms < LAST:
        raise ValueError(f"{text[:40]!r} is no time of a market")
    return int(ms // MINUTE * MINUTE)


def _read(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        plain, zone = text.removesuffix("Z"), UTC if text.endswith("Z") else None
        for pattern in SPELLED:
            try:
                return datetime.strptime(plain.strip(), pattern).replace(tzinfo=zone)
            except ValueError:
                continue
        raise


def written(ms: int) -> str:
    """Return a time [epoch ms] as an address has it."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):{ADDRESS}}"


def parse(given: Mapping[str, str]) -> tuple[PastView, tuple[str, ...]]:
    """Read the query of the address; return where it looks, and what could not be followed."""
    view, notes = PastView(), []
    for name in ("at", "replay"):
        try:
            if given.get(name):
                view = replace(view, **{name: moment_of(given[name])})
        except ValueError:
            notes.append(f"{name}={given[name][:40]} in the address is not {EXPECTED}: these are the newest bars.")
    bars = given.get("bars", "")
    if view.at is not None and bars.isascii() and bars.isdigit() and 0 < int(bars[:9]) < 10_000_000:
        view = replace(view, bars=int(bars[:9]))
    return view, tuple(notes)


def query(view: PastView) -> dict[str, str | None]:
    """Return the part of the query that restores it."""
    bars = view.bars if view.at is not None else None
    times = {"at": view.at, "replay": view.replay}
    return {name: None if ms is None else written(ms) for name, ms in times.items()} | {
        "bars": None if bars is None else str(bars)
    }
