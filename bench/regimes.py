"""What the fitted regimes are like on a year of five symbols' minutes: `python -m bench.regimes [FOLDER] [--save]`.

Fits on the folder's bars, then filters them: the share of the bars in each state, how long a state lasts, and the
volatility of the 15 bars that follow (basis points a bar), by symbol; and how often the change-point score is high.
"""

import argparse
import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.report import save
from features.change_points import COLUMNS as CHANGES
from features.frame import BarFrame
from features.regimes import COLUMNS, STATES
from features.step import FeatureStep
from models.training import define
from settings import ROOT
from sources.reading.bars import read_bars

FOLDER = ROOT.parent / "shared" / "data" / "panel_bitfinex_1m"
AHEAD = 15
HIGH = 0.5


def described(bars: BarFrame, step: FeatureStep) -> dict[str, object]:
    """Return one symbol's figures. What is unknown, and the bars before a gap, count for nothing."""
    frame = step.step(step.initial(), bars)[1]
    posterior = frame.values[:, [step.names.index(name) for name in COLUMNS]]
    known = ~np.isnan(posterior[:, 0])
    state = np.where(known, np.argmax(np.nan_to_num(posterior), axis=1), -1)
    squares = np.concatenate([np.diff(np.log(bars.close)) ** 2, np.full(AHEAD, np.nan)])
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(squares))])
    ahead = np.sqrt((sums[AHEAD : len(bars) + AHEAD] - sums[: len(bars)]).clip(min=0) / AHEAD) * 1e4
    whole = np.zeros(len(bars), dtype=bool)
    whole[:-AHEAD] = bars.time[AHEAD:] - bars.time[:-AHEAD] <= 2 * AHEAD * 60_000
    changes = sum(a != b for a, b in pairwise(state[known].tolist()))
    score = frame.values[:, step.names.index(CHANGES[0])]
    return {
        "share": {name: round(float((state[known] == s).mean()), 3) for s, name in enumerate(STATES)},
        "bars_that_a_state_lasts": round(int(known.sum()) / changes, 1),
        "next_15_bars_bp": {name: round(float(ahead[whole & (state == s)].mean()), 2) for s, name in enumerate(STATES)},
        "change_point_above_half": round(float((score[np.isfinite(score)] > HIGH).mean()), 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    bars = read_bars(sorted(path for path in options.folder.iterdir() if path.suffix != ".gz"), "1m")
    definition = define(bars)
    step = FeatureStep(definition)
    figures: dict[str, object] = {frame.symbol: described(frame, step) for frame in bars}
    figures["means"] = definition.regimes.means
    figures["deviations"] = definition.regimes.deviations
    figures["transition"] = definition.regimes.transition
    print(json.dumps(figures, indent=2))
    if options.save:
        save("regimes", f"python -m bench.regimes {options.folder.name}", figures)


if __name__ == "__main__":
    main()
