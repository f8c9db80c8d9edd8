"""Progress of an evaluation: a model's scores on a split, and the remaining time."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from evaluation.labels import Labels
from evaluation.number_format import number
from evaluation.point import standardised
from models.forecaster import Floats

PERCENT = 100.0


def scores(mean: Floats, labels: Labels) -> str:
    """Return R2 of volatility-scaled returns against zero of the means [n, H], in words; a dash where it is unknown."""
    x, y = mean / labels.unit, standardised(labels.realised, labels.unit)
    known = ~np.isnan(x) & ~np.isnan(y)
    error, size = (np.where(known, part**2, 0.0).sum(axis=0) for part in (y - x, y))
    results = [number(PERCENT * (1 - e / s) if s > 0 else np.nan, 2) for e, s in zip(error, size, strict=True)]
    return f"R² {', '.join(results)} % at {', '.join(map(str, labels.horizons))} bars"


class RemainingFits:
    """The duration of each model's fit, and the remaining fits: every model in every split, `jobs` at a time."""

    def __init__(self, models: Sequence[str], splits: int, jobs: int) -> None:
        self.ahead = Counter(dict.fromkeys(models, splits))
        self.total = self.ahead.total()
        self.jobs = jobs
        self.took: dict[str, list[float]] = {}

    def kept(self, model: str) -> None:
        """Record that a model's forecasts of a split exist from an earlier run."""
        self.ahead[model] -= 1

    def given_up(self, model: str) -> None:
        """Record that a model is no longer fitted."""
        self.total -= self.ahead.pop(model)

    def fitted(self, model: str, seconds: float) -> None:
        """Record that a model was fitted and has forecast."""
        self.ahead[model] -= 1
        self.took.setdefault(model, []).append(seconds)

    def left(self) -> float | None:
        """Return the remaining seconds, None before a model was fitted.

        A model takes its average so far; one that was not fitted yet the others' average.
        """
        known = {model: sum(seconds) / len(seconds) for model, seconds in self.took.items()}
        if not known:
            return None
        usual = sum(known.values()) / len(known)
        return sum(count * known.get(model, usual) for model, count in self.ahead.items()) / self.jobs

    def summary(self) -> str:
        """Return the progress in words."""
        left, ahead = self.left(), self.ahead.total()
        done = f"{self.total - ahead} of {self.total} fits done"
        return done if left is None or not ahead else f"{done}, {format_rough_duration(left)} left"


def format_rough_duration(seconds: float) -> str:
    """Return a rough length of time.

    >>> format_rough_duration(20), format_rough_duration(300), format_rough_duration(8_000)
    ('less than a minute', 'about 5 min', 'about 2 h 13 min')
    """
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest} min" if hours else f"about {rest} min"
