"""A client's position on a topic, as an id with which it can resume: a place for each of the topic's partitions.

Partitions advance independently, so only all places together determine the records sent. A place is the offset of a
frame and how many of its records were sent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"(\d{1,9})-(\d{1,18})-(\d{1,9})")


class PositionError(ValueError):
    """A text that is no id of that topic's stream."""


@dataclass(frozen=True)
class Position:
    """For each partition the offset of the next frame, and the number of its records to skip."""

    topic: str
    places: Mapping[int, tuple[int, int]]

    def encode(self) -> str:
        """Return the id.

        >>> Position("alerts", {0: (7, 0), 1: (9, 2)}).encode()
        'alerts.0-7-0.1-9-2'
        """
        parts = [f"{partition}-{offset}-{row}" for partition, (offset, row) in sorted(self.places.items())]
        return ".".join((self.topic, *parts))

    @classmethod
    def decode(cls, text: str, topic: str) -> "Position":
        """Parse an id. Raises PositionError if it is not of that topic's stream."""
        name, *parts = text.strip().split(".")
        matches = [_PLACE.fullmatch(part) for part in parts]
        if name != topic or not parts or None in matches:
            raise PositionError(f"{text[:60]!r} is no id of the stream of {topic}: give the last one unchanged")
        places = [tuple(map(int, place.groups())) for place in matches if place is not None]
        return cls(topic, {partition: (offset, row) for partition, offset, row in places})
