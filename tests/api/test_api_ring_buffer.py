"""The window on the end of a topic takes no more memory than it may, whatever the frames are."""

import tracemalloc

import pytest

from api.ring_buffer import BufferedFrame, Ring
from topics.catalog import PREDICTIONS

MOST = 1_000_000


@pytest.mark.parametrize(
    ("size", "headers", "frames"), [(0, 0, 6_000), (1, 0, 6_000), (0, 20, 1_000), (3_000, 1, 1_000)]
)
def test_frames_of_nothing_or_of_headers_alone_take_no_memory_without_end(size: int, headers: int, frames: int) -> None:
    ring = Ring(topic=PREDICTIONS, most=MOST)
    tracemalloc.start()
    for offset in range(frames):
        named = tuple([(f"{offset}-{place}", b"%d" % place * 100) for place in range(headers)])
        ring.add(
            [
                BufferedFrame(
                    topic=PREDICTIONS,
                    partition=0,
                    offset=offset,
                    value=b"%0*d" % (size, offset) if size else b"",
                    headers=named,
                    time=10**12 + offset,
                )
            ]
        )
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 1.5 * MOST
    assert ring.next - ring.first > MOST / (size + 2_000 + 600 * headers)  # and the room is used
