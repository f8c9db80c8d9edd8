"""What models see of the features: the columns that are in units of price movement, over the volatility."""

import numpy as np

from features.frame import Floats

MOVEMENTS = (
    "log_return_",
    "ema_gap_",
    "macd_",
    "vwap_gap_",
    "natr_",
    "bollinger_width_",
    "realised_volatility_",
    "parkinson_",
)
"""Beginnings of the names whose columns grow with volatility; all others are free of scale as they are."""


def scale_free(values: Floats, names: tuple[str, ...], sigma: Floats) -> Floats:
    """Return the columns [n, F], those in `MOVEMENTS` divided by sigma [n]: so symbols and times compare."""
    moving = np.array([name.startswith(MOVEMENTS) for name in names])
    return np.where(moving, values / sigma[:, None], values)


def columns(wanted: tuple[str, ...], names: tuple[str, ...], model: str) -> list[int]:
    """Return where the wanted columns stand.

    Raises ValueError that names those that are missing.
    """
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ValueError(f"model {model!r} needs features that are not there: {', '.join(missing)}")
    return [names.index(name) for name in wanted]
