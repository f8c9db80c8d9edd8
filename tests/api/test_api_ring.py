"""What is kept for the streams takes no more memory than it says, whatever the frames are."""

import tracemalloc

import pytest

from api.ring import Frame, Ring
from topics import codec
from topics.catalog import BARS
from topics.records import Bar

START, MINUTE = 1_748_044_800_000, 60_000
MOST = 2_000_000
FOLLOWED = 2.5
"""How many times that a ring may take of which every frame is read, and so kept as records too."""


def frames(count: int, rows: int) -> list[Frame]:
    """Return frames of so many bars, each with headers and bytes of its own, as a consumer brings them."""
    found = []
    for number in range(count):
        bars = [
            Bar("BTCUSDT", "1m", START + (number * rows + row) * MINUTE, 1.5, 2.5, 0.5, 1.5, 7.25)
            for row in range(rows)
        ]
        headers = tuple((name, bytes(bytearray(value))) for name, value in codec.HEADERS)
        found.append(Frame(BARS, 0, number, codec.encode(bars), headers))
    return found


@pytest.mark.parametrize(("count", "rows"), [(8_000, 1), (100, 500)])
def test_small_frames_take_no_more_memory_than_large_ones(count: int, rows: int) -> None:
    assert frames(1, 1)[0].rows  # what reading itself keeps, once for all
    tracemalloc.start()
    try:
        ring = Ring(BARS, MOST)
        ring.add(frames(count, rows))
        taken = tracemalloc.get_traced_memory()[0]
        assert 0.7 * MOST < taken < 1.3 * MOST
        if rows == 1:
            for number in range(ring.first, ring.next):
                frame = ring.get(number)
                assert frame is not None
                assert len(frame.rows) == 1
            assert tracemalloc.get_traced_memory()[0] < FOLLOWED * MOST
    finally:
        tracemalloc.stop()
