"""Where a client is on a topic, as an id that it can come back with: a place for each of the topic's partitions.

Partitions go on independently of each other: only all their places together say what was given already. A place is the
offset of a frame and how many of its records were given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"(\d{1,9})-(\d{1,18})-(\d{1,9})")


class PositionError(ValueError):
    """A text that is no id of that topic's stream."""


@dataclass(frozen=True)
class Position:
    """For each partition the offset of the frame to go on with, and the records of it that are to be skipped."""

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
        """Return the position in an id. Raises PositionError where it is none of that topic's stream."""
        name, *parts = text.strip().split(".")
        found = [_PLACE.fullmatch(part) for part in parts]
        if name != topic or not parts or None in found:
            raise PositionError(f"{text[:60]!r} is no id of the stream of {topic}: give back the last one unchanged")
        places = [tuple(map(int, place.groups())) for place in found if place is not None]
        return cls(topic, {partition: (offset, row) for partition, offset, row in places})
