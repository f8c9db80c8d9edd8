"""Rolling skill of each version over the last day and the last week, by regime and overall."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from features.frame import Floats
from learning.monitoring.scored_forecasts import Scored, Version
from models.skill import skill

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAYS = (1.0, 7.0)
ALL = "all"
ROLES = {b"c": "champion", b"h": "challenger", b"s": "standby"}
COUNT, LOSS, NAIVE_LOSS, ERROR, NAIVE_ERROR, HITS = range(6)


class SkillRow(NamedTuple):
    """A row of the table model_skill: see storage/sql/0010_skill.sql and 0051_two_skills.sql; `time` in epoch ms."""

    time: int
    model: str
    version: str
    role: str
    horizon: int
    regime: str
    days: float
    forecasts: int
    pinball_skill: float | None
    mae_skill: float | None
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

    def update(self, scored: Scored) -> list[SkillRow]:
        """Add outcomes in the order of their bars; return the skills at the ends of the finished hours."""
        skill_rows: list[SkillRow] = []
        hours = (scored.bar - 1) // self._bucket  # a label at an hour's end belongs to that hour
        for hour in np.unique(hours).tolist():
            if self._open is not None and hour > self._open:
                skill_rows += self._ended(self._open)
            self._open = hour
            self._add(hour, scored.where(hours == hour))
        return skill_rows

    def _add(self, hour: int, scored: Scored) -> None:
        losses = _both(scored.loss, scored.naive_loss)
        errors = _both(scored.error, scored.naive_error)
        columns = np.stack([np.ones(len(scored.bar)), *losses, *errors, scored.hit])
        keys, group = np.unique(np.stack([scored.version, scored.horizon, scored.regime]), axis=1, return_inverse=True)
        sums = np.stack([np.bincount(group, column, keys.shape[1]) for column in columns], axis=1)
        for (version, horizon, regime), values in zip(keys.T.tolist(), sums, strict=True):
            whose = scored.versions[version]
            for name in {scored.regimes[regime], ALL} - {""}:
                lease = self._sums[_Key(whose, horizon, name)]
                lease[hour] = lease.get(hour, 0.0) + values
        for version, role in zip(scored.version.tolist(), scored.role.tolist(), strict=True):
            self._roles[scored.versions[version]] = ROLES[role]

    def _ended(self, hour: int) -> list[SkillRow]:
        skill_rows = []
        for key, lease in list(self._sums.items()):
            for days in DAYS:
                first = hour - round(days * DAY_MS / self._bucket) + 1
                values = [sums for at, sums in lease.items() if at >= first]
                if values:
                    skill_rows.append(self._skill(hour, key, days, np.sum(values, axis=0)))
            for at in [at for at in lease if at <= hour - round(max(DAYS) * DAY_MS / self._bucket)]:
                del lease[at]
            if not lease:
                del self._sums[key]
        return skill_rows

    def _skill(self, hour: int, key: _Key, days: float, sums: Floats) -> SkillRow:
        return SkillRow(
            (hour + 1) * self._bucket,
            *key.version,
            self._roles[key.version],
            key.horizon,
            key.regime,
            days,
            int(sums[COUNT]),
            skill(float(sums[LOSS]), float(sums[NAIVE_LOSS])),
            skill(float(sums[ERROR]), float(sums[NAIVE_ERROR])),
            float(sums[HITS] / sums[COUNT]),
        )


def _both(loss: Floats, naive: Floats) -> tuple[Floats, Floats]:
    """Return the losses, 0 if one of the two is unknown: only pairs count."""
    known = np.isfinite(loss) & np.isfinite(naive)
    return np.where(known, loss, 0.0), np.where(known, naive, 0.0)
