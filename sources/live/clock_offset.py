"""How far a venue's clock is from ours."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import ccxt

log = logging.getLogger("foretick.live")

SAMPLES = 3
WARN_MS = 1_000
"""A clock that is farther off is worth a look: times of trades are the venue's, ages that we show are by ours."""
Sample = tuple[float, float, float]
"""The times of the request, in the venue's answer, and of its arrival: epoch ms."""


def skew_of(samples: Sequence[Sample]) -> float:
    """Return how many ms the venue's clock is ahead of ours, by the sample that took least time.

    The venue's answer is taken for the time in the middle between question and answer, as in NTP (RFC 5905).

    >>> skew_of([(1_000, 1_600, 1_200), (2_000, 2_520, 2_020)])
    510.0
    """
    sent, output, came = min(samples, key=lambda sample: sample[2] - sample[0])
    return output - (sent + came) / 2


async def measure(exchange: Any) -> float | None:
    """Ask the venue for its time; return its clock's lead over ours in ms, None if it does not provide it."""
    if not exchange.has["fetchTime"]:
        return None
    samples: list[Sample] = []
    try:
        for _ in range(SAMPLES):
            sent = time.time() * 1_000
            output = await exchange.fetch_time()
            samples.append((sent, float(output), time.time() * 1_000))
    except ccxt.BaseError as error:
        log.info("%s does not provide its time: %s", exchange.id, error)
    if not samples:
        return None
    skew = skew_of(samples)
    if abs(skew) > WARN_MS:
        where = "ahead of" if skew > 0 else "behind"
        log.warning("the clock of %s is %.0f ms %s ours: is this machine's set by NTP?", exchange.id, abs(skew), where)
    return skew
