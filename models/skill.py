"""Skill: the share of a reference's loss that a forecast saves. SQL has the same as `skill_of(loss, reference)`.

There are two, of sums over the same forecasts: `pinball_skill` against the naive model's pinball loss, which tables,
the API and the page show, and `mae_skill` against the absolute error of a zero forecast.
"""

from math import isnan

NAIVE = "naive"
"""The model whose losses stand beside those of the others."""


def skill(loss: float, reference: float) -> float | None:
    """Return 1 - loss / reference, None if that is unknown: of no losses, or where the reference lost nothing.

    >>> skill(0.9, 1.2), skill(0.0, 0.0), skill(float("nan"), 1.0)
    (0.25, None, None)
    """
    return 1.0 - loss / reference if reference > 0 and not isnan(loss) else None
