"""How good each version has been over the last day and the last week, in each market state and in all of them."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from features.frame import Floats
from learning.scored import Scored, Version

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAYS = (1.0, 7.0)
ALL = "all"
ROLES = {b"c": "champion", b"h": "challenger", b"s": "shadow"}
COUNT, LOSS, NAIVE_LOSS, ERROR, NAIVE_ERROR, HITS = range(6)


class Skill(NamedTuple):
    """A row of the table model_skill: see storage/sql/0010_skill.sql; `time` in epoch ms."""

    time: int
    model: str
    version: str
    role: str
    horizon: int
    regime: str
    days: float
    forecasts: int
    skill: float | None
    error_skill: float | None
    coverage: float | None


class _Key(NamedTuple):
    version: Version
    horizon: int
    regime: str


class RollingSkill:
    """Sums of losses by version, horizon, regime and hour; `span` is the length of a bar in ms."""

    def __init__(self, span: int) -> None:
        self._bucket = max(HOUR_MS, span)
        self._sums: dict[_Key, dict[int, Floats]] = defaultdict(dict)
        self._roles: dict[Version, str] = {}
        self._open: int | None = None

    def update(self, scored: Scored) -> list[Skill]:
        """Take outcomes in the order of their bars; return the skills at the ends of the hours that are over."""
        found: list[Skill] = []
        hours = (scored.bar - 1) // self._bucket  # a label that comes with the hour's last moment is the hour's
        for hour in np.unique(hours).tolist():
            if self._open is not None and hour > self._open:
                found += self._ended(self._open)
            self._open = hour
            self._add(hour, scored.where(hours == hour))
        return found

    def _add(self, hour: int, scored: Scored) -> None:
        losses = _both(scored.loss, scored.naive_loss)
        errors = _both(scored.error, scored.naive_error)
        columns = np.stack([np.ones(len(scored.bar)), *losses, *errors, scored.hit])
        keys, group = np.unique(np.stack([scored.version, scored.horizon, scored.regime]), axis=1, return_inverse=True)
        sums = np.stack([np.bincount(group, column, keys.shape[1]) for column in columns], axis=1)
        for (version, horizon, regime), values in zip(keys.T.tolist(), sums, strict=True):
            whose = scored.versions[version]
            for name in {scored.regimes[regime], ALL} - {""}:
                held = self._sums[_Key(whose, horizon, name)]
                held[hour] = held.get(hour, 0.0) + values
        for version, role in zip(scored.version.tolist(), scored.role.tolist(), strict=True):
            self._roles[scored.versions[version]] = ROLES[role]

    def _ended(self, hour: int) -> list[Skill]:
        found = []
        for key, held in list(self._sums.items()):
            for days in DAYS:
                first = hour - round(days * DAY_MS / self._bucket) + 1
                values = [sums for at, sums in held.items() if at >= first]
                if values:
                    found.append(self._skill(hour, key, days, np.sum(values, axis=0)))
            for at in [at for at in held if at <= hour - round(max(DAYS) * DAY_MS / self._bucket)]:
                del held[at]
            if not held:
                del self._sums[key]
        return found

    def _skill(self, hour: int, key: _Key, days: float, sums: Floats) -> Skill:
        return Skill(
            (hour + 1) * self._bucket,
            *key.version,
            self._roles[key.version],
            key.horizon,
            key.regime,
            days,
            int(sums[COUNT]),
            _better(sums[LOSS], sums[NAIVE_LOSS]),
            _better(sums[ERROR], sums[NAIVE_ERROR]),
            float(sums[HITS] / sums[COUNT]),
        )


def _both(loss: Floats, naive: Floats) -> tuple[Floats, Floats]:
    """Return the losses, 0 where one of the two is unknown: only what can be compared counts."""
    known = np.isfinite(loss) & np.isfinite(naive)
    return np.where(known, loss, 0.0), np.where(known, naive, 0.0)


def _better(loss: float, naive: float) -> float | None:
    """Return 1 - loss / naive, None where it is unknown."""
    return float(1.0 - loss / naive) if naive > 0 else None
