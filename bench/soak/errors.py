"""The lines of a log that tell of errors, and which of them a slow database explains."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

OURS = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:ERROR|CRITICAL) (?P<text>.*)")
KAFKA = re.compile(r"^\[[^]]+\] (?:ERROR|FATAL) (?P<text>.*)")
POSTGRES = re.compile(r".*(?:ERROR|FATAL|PANIC): +(?P<text>.*)")
TRACEBACK = "Traceback (most recent call last):"
LONGEST = 200
NUMBER = re.compile(r"\d+(?:\.\d+)?")
EXPLAINED: Mapping[str, str] = {
    r"Group Coordinator Request failed: .* GroupCoordinatorNotAvailableError": "Kafka has just begun",
    r'^postgres: functionality not supported under the current "apache" license': "asked once whether it can compress",
}
"""A pattern of `component: text`, and why it is no fault."""


def errors(logs: Path) -> Counter[str]:
    """Return each error of the logs as `component: text`, numbers replaced, with how often it was told."""
    return Counter(line for path in sorted(logs.glob("*.log")) for line in _told(path))


def _told(path: Path) -> Iterator[str]:
    pattern = {"kafka": KAFKA, "postgres": POSTGRES}.get(path.stem, OURS)
    in_traceback = False
    with path.open(errors="replace") as file:
        for line in file:
            if in_traceback and not line.startswith(" "):  # what was raised stands behind where
                in_traceback = False
                yield f"{path.stem}: traceback, {NUMBER.sub('N', line.strip())}"
            elif match := pattern.match(line):
                yield f"{path.stem}: {NUMBER.sub('N', match['text'].strip())[:LONGEST]}"
            in_traceback = in_traceback or line.startswith(TRACEBACK)


def explained(values: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the errors that are explained, with why, and those that are not."""
    known: Counter[str] = Counter()
    unknown: dict[str, int] = {}
    for line, count in values.items():
        why = next((why for pattern, why in EXPLAINED.items() if re.search(pattern, line)), None)
        if why is None:
            unknown[line] = count
        else:
            known[f"{line} ({why})"] += count
    return dict(known), unknown
