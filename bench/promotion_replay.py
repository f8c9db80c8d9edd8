"""What the rules of promotion decide on real bars: `python -m bench.promotion_replay [FOLDER] [--save]`.

On each of several spans of the folder's bars two models are trained on the three weeks that end a week before it, and
on those right before it, the trees with another seed too: versions that are near-equal, as those of a schedule are.
One challenges the other for the 14 days that a challenger has by default. All spans end before May 2019, since the
leaderboard judges the later months, and the margin is a choice.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.promotion import DAY, MARGIN, MINUTE, RULES, Result
from bench.report import save
from evaluation.walk_forward import forecast
from features.frame import FeatureFrame, Floats, Ints
from learning.monitoring.scored_forecasts import relative
from models import training
from models.forecaster import Forecaster
from models.labels import mature
from models.registry.model_registry import classes
from models.scoring.scores import score
from models.scoring.weighted_gains import weights
from settings import ROOT
from sources.reading.bars import read_bars
from topics.records import HORIZONS

FOLDER = ROOT.parent / "shared" / "data" / "panel_bitfinex_1m"
FILES = ("btcusd.parquet", "ethusd.parquet", "xrpusd.parquet")
DAY_MS = DAY * MINUTE
FIRST, EVERY = 1_535_760_000_000, 40 * DAY_MS
"""2018-09-01, and the distance between spans."""
TRAINED, LATER, TESTED = 21 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS
NEAR_EQUAL = (
    ("gbm", "gbm, another seed"),
    ("gbm", "gbm, a week newer"),
    ("gbm, a week newer", "gbm"),
    ("ridge", "ridge, a week newer"),
    ("ridge, a week newer", "ridge"),
)
DIFFERENT = (("naive", "ridge"), ("naive", "gbm"), ("ridge", "gbm"), ("gbm", "naive"))
"""Pairs of a champion and its challenger."""


def losses(version: Forecaster, frames: Sequence[FeatureFrame], clock: Ints) -> Floats:
    """Return the pinball losses [m, H, S] of a version's forecasts, at the bars at which the labels mature."""
    made = np.full((len(clock), len(HORIZONS), len(frames)), np.nan)
    for place, frame in enumerate(frames):
        forecasts = forecast(version, frame)
        for column, horizon in enumerate(HORIZONS):
            at, realised = mature(frame.time, frame.close, horizon * MINUTE, frame.time, frame.close)
            _, scores = score(realised, forecasts.mean[:, column], forecasts.quantiles[:, column])
            loss = np.array(scores.pinball, dtype=np.float64)
            rows = np.flatnonzero(np.isfinite(loss))
            time = frame.time[at[rows]]
            inside = (time >= clock[0]) & (time <= clock[-1])
            made[(time[inside] - clock[0]) // MINUTE, column, place] = loss[rows[inside]]
    return made


def between(frame: FeatureFrame, begin: int, end: int) -> FeatureFrame:
    """Return the rows in [begin, end)."""
    first, last = np.searchsorted(frame.time, (begin, end)).tolist()
    return frame[first:last]


def span(folder: Path, cut: int) -> dict[str, Floats]:
    """Return by version the losses in the span that begins at `cut`."""
    bars = read_bars([folder / name for name in FILES], "1m", cut + TESTED, start=cut - LATER - TRAINED)
    definition = training.define([frame[frame.time < cut - LATER] for frame in bars])
    frames = training.features(bars, definition)
    before = [between(frame, 0, cut - LATER) for frame in frames]
    newer = [between(frame, cut - TRAINED, cut) for frame in frames]
    tested = [between(frame, cut - DAY_MS, cut + TESTED) for frame in frames]  # the calibration has a day to settle
    found = classes(("naive", "ridge", "gbm"))
    made = {name: training.fit(model, definition, before, 1) for name, model in found.items()}
    made["gbm, another seed"] = training.fit(found["gbm"], definition, before, 2)
    made |= {f"{name}, a week newer": training.fit(found[name], definition, newer, 1) for name in ("ridge", "gbm")}
    clock = np.arange(cut, cut + TESTED, MINUTE)
    return {name: losses(one, tested, clock) for name, one in made.items() if isinstance(one, Forecaster)}


def gain(champion: Floats, challenger: Floats) -> Floats:
    """Return the gains [m, H], the mean over the symbols; NaN where there is none."""
    each = relative(champion, challenger)
    known = np.isfinite(each)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, each, 0.0).sum(axis=2) / known.sum(axis=2))


def figures(folder: Path, spans: int) -> dict[str, object]:
    """Return of each pair how large its weighted gains were, how often it ended in a promotion, and when."""
    pairs = {f"{champion} → {challenger}": (champion, challenger) for champion, challenger in NEAR_EQUAL + DIFFERENT}
    results: dict[str, list[tuple[float, dict[str, Result]]]] = {name: [] for name in pairs}
    for number in range(spans):
        scored = span(folder, FIRST + number * EVERY)
        for name, (champion, challenger) in pairs.items():
            of = gain(scored[champion], scored[challenger])
            mean = float(np.nanmean(of, axis=0) @ weights(HORIZONS))
            results[name].append((mean, {title: rule(of, HORIZONS) for title, rule in RULES.items()}))
            print(number, name, f"{mean:+.2%}", results[name][-1][1], flush=True)
    return {"spans": spans, "margin": MARGIN} | {
        name: {"weighted_gain_percent": [round(100 * mean, 2) for mean, _ in of]}
        | {title: [one[title].bars for _, one in of if one[title].outcome == "won"] for title in RULES}
        for name, of in results.items()
    }


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--spans", type=int, default=3, help="spans of 14 days, 40 days apart")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    made = figures(options.folder, options.spans)
    print(json.dumps(made, indent=2))
    if options.save:
        save("promotion_replay", f"python -m bench.promotion_replay {options.folder.name}", made)


if __name__ == "__main__":
    main()
