"""How far a run is, by its own messages: epochs, rounds and fitted models, and the time left at its own pace."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from learning.runs.run_log import LogLine

COUNTED = re.compile(r"(?:(?P<what>[^:]+): )?(?P<unit>epoch|round) (?P<done>\d+) of (?P<total>\d+)(?P<part>, [^:]+)?: ")
FITTED = re.compile(r"\S+ is fitted \((?P<done>\d+) of (?P<total>\d+)\b")


class Progress(NamedTuple):
    """What is counted, how much of it is done, and the seconds that the rest takes at this pace (None: unknown)."""

    what: str
    done: int
    total: int
    left_s: float | None


def progress(lines: Sequence[LogLine], now: int) -> list[Progress]:
    """Return the progress of the models, then that within the model that is fitted at `now` (epoch ms), if known."""
    found: list[Progress] = []
    last = _last(lines, FITTED)
    if last is not None:
        begin = next((line.time for line in lines if line.words == "train"), None)
        place, done, total = last
        found.append(_at_pace("models", done, total, begin, lines[place].time, now))
    last = _last(lines, COUNTED)
    if last is not None and not any(FITTED.match(line.words) for line in lines[last[0] :]):
        place, done, total = last
        match = COUNTED.match(lines[place].words)
        assert match is not None  # noqa: S101 - for mypy: it is what was found
        begin = _begin(lines[: place + 1], match)
        what = f"{match['what'] or ''} {match['unit']}s{match['part'] or ''}".strip()
        found.append(_at_pace(what, done, total, begin, lines[place].time, now))
    return found


def _last(lines: Sequence[LogLine], pattern: re.Pattern[str]) -> tuple[int, int, int] | None:
    """Return the place of the last message of a kind, how much it says is done, and of how much."""
    for place in range(len(lines) - 1, -1, -1):
        match = pattern.match(lines[place].words)
        if match:
            return place, int(match["done"]), int(match["total"])
    return None


def _begin(lines: Sequence[LogLine], newest: re.Match[str]) -> int | None:
    """Return when the present count began: the time of the message before its first; None if that is not known."""
    expected = int(newest["done"])
    for place in range(len(lines) - 1, -1, -1):
        match = COUNTED.match(lines[place].words)
        same = match is not None and match["what"] == newest["what"] and match["part"] == newest["part"]
        if match is None or not same or int(match["done"]) > expected:
            return lines[place].time if expected == 1 else None
        expected = int(match["done"])
    return None


def _at_pace(what: str, done: int, total: int, begin: int | None, last: int, now: int) -> Progress:
    if begin is None or done <= 0 or last <= begin:
        return Progress(what, done, total, None)
    left = (last - begin) / 1_000 / done * (total - done) - (now - last) / 1_000
    return Progress(what, done, total, max(left, 0.0))
