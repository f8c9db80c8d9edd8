"""Evidence that one forecaster is better than another, gathered bar by bar: the wealth of a bettor.

Betting the share s of a wealth on a gain g in [-1, 1] multiplies it by (1 + s g). Where no gain is expected, the wealth
is not expected to grow, and by Ville's inequality it ever reaches 1 / alpha from 1 with probability alpha at most,
however often it is checked (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting"; of
forecasters: Choe and Ramdas 2023, "Comparing sequential forecasters"). The best share is unknown in advance: the wealth
is spread evenly over `STAKES`.
"""

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import Floats, Ints

STAKES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.8])
MOST = 50.0
"""The logarithm of the wealth at which a bettor stops: sufficient evidence, without overflow."""


def initial(places: int, stakes: Floats = STAKES) -> Floats:
    """Return the logarithms of the wealths [2, places, S]: of who bets on the gains, and of who bets against them."""
    return np.zeros((2, places, len(stakes)))


def step(wealth: Floats, place: Ints, gain: Floats, stakes: Floats = STAKES) -> tuple[Floats, Floats]:
    """Return the wealths after the gains [n], and the mean wealth of each side after each of them: [2, n].

    Each gain in [-1, 1] belongs to one of the places, whose bettors have their own wealth and see no other's gains. A
    gain that is NaN changes nothing.
    """
    return _play(wealth, stakes, place, gain)


@compiled_and_kept
def _play(wealth: Floats, stakes: Floats, place: Ints, gain: Floats) -> tuple[Floats, Floats]:
    wealth = wealth.copy()
    held = np.empty((2, wealth.shape[1]))
    for side in range(2):
        for at in range(held.shape[1]):
            held[side, at] = np.exp(wealth[side, at]).mean()
    evidence = np.empty((2, len(gain)))
    for row in range(len(gain)):
        at = place[row]
        for side in range(2):
            if not np.isnan(gain[row]):
                signed = gain[row] if side == 0 else -gain[row]
                for stake in range(len(stakes)):
                    before = wealth[side, at, stake]
                    if before < MOST:
                        wealth[side, at, stake] = min(before + np.log1p(stakes[stake] * signed), MOST)
                held[side, at] = np.exp(wealth[side, at]).mean()
            evidence[side, row] = held[side].mean()
    return wealth, evidence
