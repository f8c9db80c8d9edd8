"""Markets with and without a planted change, and what a model's forecasts of them are worth, as the watch sees it."""

from collections.abc import Sequence

import numpy as np

from features.frame import BarFrame, FeatureFrame
from learning.monitoring.scored_forecasts import Scored, Version, with_naive
from learning.monitoring.scorer import Origin, Scorer
from learning.monitoring.skill import SkillRow
from models.drift.reference import Reference
from models.forecaster import Forecaster
from models.intervals import calibration
from models.intervals.calibration import Calibration
from models.labels import mature
from models.scoring.scores import score
from settings import ROOT, Settings
from sources.reading.bars import read_bars
from topics.records import HORIZONS, Drift

MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE


def walk(seed: int, rows: int, carry: float = 0.0) -> BarFrame:
    """Return a walk of changing volatility whose returns carry a share of the last one."""
    rng = np.random.default_rng(seed)
    volatility = 1e-3 * np.exp(0.5 * np.sin(np.arange(rows) / 300.0))
    time = START + MINUTE * np.arange(rows, dtype=np.int64)
    close = 100.0 * np.exp(np.cumsum(carried(rng.standard_normal(rows) * volatility, carry)))
    opening = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opening, close) * 1.0001, np.minimum(opening, close) * 0.9999
    volume = 1.0 + np.abs(np.sin(np.arange(rows)))
    return BarFrame.build("COIN", "1m", time, open=opening, high=high, low=low, close=close, volume=volume)


def carried(returns: np.ndarray, share: float) -> np.ndarray:
    """Return these returns, each with a share of the one before it."""
    values = returns.copy()
    for row in range(1, len(values)):
        values[row] += share * values[row - 1]
    return values


def sample() -> list[BarFrame]:
    """Return the bundled sample."""
    return read_bars([ROOT / "sample" / f"{symbol}-1m.csv.gz" for symbol in ("BTCUSDT", "ETHUSDT")], "1m", None, None)


def planted(bars: BarFrame, before: float, after: float, row: int) -> BarFrame:
    """Return a market of the same moves in which each carries a share of the last, another share from a row on."""
    level = np.log(bars.close)
    returns = np.diff(level, prepend=level[0])
    deviation = returns.std()
    for share, part in ((before, slice(None, row)), (after, slice(row, None))):
        moved = carried(returns[part], share)
        returns[part] = moved * deviation / moved.std()
    close = np.exp(level[0] + np.cumsum(returns))
    prices = {name: close * getattr(bars, name) / bars.close for name in ("open", "high", "low")}
    prices["high"] = np.maximum.reduce([prices["high"], prices["open"], close])
    prices["low"] = np.minimum.reduce([prices["low"], prices["open"], close])
    return bars.with_columns(**prices, close=close)


def scored(frames: Sequence[FeatureFrame], models: Sequence[Forecaster]) -> Scored:
    """Return what the champions' forecasts were worth, by the stream's own folds."""
    versions = [Version(model.name, model.version) for model in models]
    parts = []
    for symbol, frame in enumerate(frames):
        for number, model in enumerate(models):
            _, forecasts = model.step(model.initial(), frame)
            _, quantiles = calibration.step(Calibration.initial(len(HORIZONS)), frame, forecasts, HORIZONS)
            for column, horizon in enumerate(HORIZONS):
                span = horizon * MINUTE
                _, realised = mature(frame.time, frame.close, span, frame.time, frame.close)
                _, scores = score(realised, forecasts.mean[:, column], quantiles[:, column])
                numbers = [np.array(part, dtype=np.float64) for part in scores[:4]]
                rows = np.isfinite(numbers[2])
                error, naive_error, loss, hit = (part[rows] for part in numbers)
                same = np.ones(rows.sum(), dtype=np.int64)
                parts.append(
                    [
                        frame.time[rows] + span,
                        same * symbol,
                        same * number,
                        same * horizon,
                        loss,
                        error,
                        naive_error,
                        hit,
                    ]
                )
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    bar, symbol_of, version, horizon_of, loss, error, naive_error, hit = (column[order] for column in columns)
    regime, role = np.zeros(len(bar), dtype=np.int64), np.full(len(bar), b"c")
    unknown = np.full(len(bar), np.nan)
    numbers = (loss, unknown, error, naive_error, hit)
    return with_naive(Scored(bar, symbol_of, version, horizon_of, regime, role, *numbers, versions, [""]))


def judged(
    outcomes: Scored, frames: Sequence[FeatureFrame], origin: Origin = (None, None), bars: int = 1_440
) -> tuple[list[Drift], list[SkillRow]]:
    """Return what the watch makes of it, `bars` at a time."""
    scorer = Scorer(Settings(), HORIZONS, MINUTE, lambda _: origin)
    drifts, skills = [], []
    first = int(frames[0].time[0])
    (number,) = [place for place, whose in enumerate(outcomes.versions) if whose.model != "naive"]
    reference: Reference | None = origin[1]
    for start in range(first, int(outcomes.bar[-1]) + 1, bars * MINUTE):
        inside = (outcomes.bar >= start) & (outcomes.bar < start + bars * MINUTE)
        changed, skill_rows = scorer.scored(outcomes.where(inside))
        drifts += changed
        skills += skill_rows
        if reference is not None:
            part = [frame.after(start - 1) for frame in frames]
            part = [frame[: int(np.searchsorted(frame.time, start + bars * MINUTE))] for frame in part]
            time, values = np.concatenate([f.time for f in part]), np.concatenate([f.values for f in part])
            order = np.argsort(time, kind="stable")
            time, values = time[order], values[order]
            whose = np.full(len(time), number)
            drifts += scorer.predicted(time, whose, reference.dissimilarity(values), outcomes.versions)
            drifts += scorer.computed(outcomes.versions[number], time, values)
    return drifts, skills
