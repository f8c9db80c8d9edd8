"""How often challengers are promoted, by the former rule and by today's: `python -m bench.promotion [--save]`.

Simulated forecasters of known skill, in a market whose volatility wanders: what a forecast lacks is noise of a known
size in units of the label's volatility, and the labels overlap. A run is as long as a challenger is tested by default,
14 days of minutes. The former rule took the mean over the horizons of the evidence at each, without a margin.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from bench.report import save
from features.frame import Floats
from learning.monitoring.e_test import ChampionChallengerTest
from models.scoring import e_process
from settings import Settings
from topics.records import HORIZONS

MINUTE, DAY = 60_000, 1_440
ALPHA, MARGIN, LEAST = (Settings.model_fields[f"promote_{name}"].default for name in ("alpha", "margin", "bars"))


class Result(NamedTuple):
    """Of a run: `won`, `lost` or None, and the bars until then."""

    outcome: str | None
    bars: int


Rule = Callable[[Floats, tuple[int, ...]], Result]
Rates = dict[str, dict[str, float | None]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Two forecasters: the sizes of their noise, at each horizon where they differ, and of it the share that both have
    in common, and that carries over from bar to bar. With a `period` they change places after so many bars on average.
    """

    champion: float | Sequence[float] = 0.4
    challenger: float | Sequence[float] = 0.4
    common: float = 0.0
    carry: float = 0.0
    period: float = 0.0
    days: int = 14

    def gains(self, seed: int, rows: int, horizons: tuple[int, ...] = HORIZONS) -> Floats:
        """Return the challenger's gains [n, H] at the bars."""
        rng = np.random.default_rng(seed)
        size = rows + max(horizons)
        volatility = 1e-3 * np.exp(0.3 * np.cumsum(rng.normal(0.0, 0.03, size)))
        price = np.concatenate([[0.0], np.cumsum(rng.normal(0.0, 1.0, size) * volatility)])
        noise = lfilter([1.0], [1.0, -self.carry], rng.normal(0.0, 1.0, (2, size))) * np.sqrt(1.0 - self.carry**2)
        noise = np.sqrt(1.0 - self.common) * noise + np.sqrt(self.common) * rng.normal(0.0, 1.0, size)
        swapped = np.zeros(size, dtype=bool)
        if self.period:
            swapped = (np.cumsum(rng.random(size) < 1.0 / self.period) + rng.integers(2)) % 2 == 1
        ours, theirs = (np.broadcast_to(one, len(horizons)) for one in (self.champion, self.challenger))
        values = np.full((size, len(horizons)), np.nan)
        for column, horizon in enumerate(horizons):
            label = price[horizon:] - price[:-horizon]
            unit = volatility[: len(label)] * np.sqrt(horizon)
            first = np.where(swapped, theirs[column], ours[column])[: len(label)]
            second = np.where(swapped, ours[column], theirs[column])[: len(label)]
            before = np.abs(label - unit * first * noise[0, : len(label)])
            after = np.abs(label - unit * second * noise[1, : len(label)])
            values[horizon - 1 :, column][: len(label)] = (before - after) / (before + after)
        return values[max(horizons) :]


def present(gain: Floats, horizons: tuple[int, ...], margin: float = MARGIN) -> Result:
    """Return what the rule decides of these gains."""
    test = ChampionChallengerTest(horizons=horizons, span=MINUTE, alpha=ALPHA, margin=margin, least=LEAST)
    result = test.update(MINUTE * np.arange(len(gain)), gain)
    return Result(None, len(gain)) if result is None else Result(result.outcome, result.time // MINUTE + 1)


def former(gain: Floats, horizons: tuple[int, ...]) -> Result:
    """Return what the former rule decides: the mean over the horizons of the evidence of each. It has no margin."""
    number = np.arange(len(gain))
    sides = [
        e_process.step(e_process.initial(horizon), number % horizon, gain[:, column])[1]
        for column, horizon in enumerate(horizons)
    ]
    for_it, against_it = np.mean(sides, axis=0)
    vetoed = (np.array(sides)[:, 1] >= 1 / ALPHA).any(axis=0)
    won = (for_it >= 1 / ALPHA) & (number + 1 >= LEAST) & ~vetoed
    reached = np.flatnonzero(won | (against_it >= 1 / ALPHA))
    if not len(reached):
        return Result(None, len(gain))
    return Result("won" if won[reached[0]] else "lost", int(reached[0]) + 1)


CASES = {
    "equal": Case(),
    "equal, noise that lasts": Case(carry=0.9),
    "equal, for 70 days": Case(days=70),
    "a little worse": Case(challenger=0.42),
    "better at 1 bar, worse on average": Case(champion=(0.4, 0.1, 0.1, 0.1), challenger=(0.1, 0.45, 0.45, 0.45)),
    "equal, forecasts alike": Case(common=0.9),
    "better by less than the margin, forecasts alike": Case(challenger=0.39, common=0.9),
    "taking turns of 300 bars": Case(challenger=0.3, period=300),
    "taking turns of 1,000 bars": Case(challenger=0.1, period=1_000),
    "much better": Case(challenger=0.1),
    "better": Case(challenger=0.3),
    "better, forecasts alike": Case(challenger=0.3, common=0.7),
}


RULES: dict[str, Rule] = {
    "former": former,
    "no margin": lambda gain, horizons: present(gain, horizons, 0.0),
    "now": present,
}


def rates(case: Case, rules: Mapping[str, Rule], runs: int, horizons: tuple[int, ...] = HORIZONS) -> Rates:
    """Return by rule the share of the runs that are promoted, and the median of the bars until then, None if later."""
    results: dict[str, list[Result]] = {name: [] for name in rules}
    for seed in range(runs):
        gain = case.gains(seed, case.days * DAY, horizons)
        for name, rule in rules.items():
            results[name].append(rule(gain, horizons))
    made: Rates = {}
    for name, of in results.items():
        won = [one.bars for one in of if one.outcome == "won"]
        middle = sorted(won)[runs // 2] if len(won) > runs // 2 else None
        made[name] = {"promoted": round(len(won) / runs, 3), "median_bars": middle}
    return made


def figures(runs: int) -> dict[str, object]:
    """Return the figures of all cases, and of two of them with fewer horizons."""
    made: dict[str, object] = {"runs": runs, "alpha": ALPHA, "margin": MARGIN, "least_bars": LEAST}
    for title, case in CASES.items():
        made[title] = rates(case, RULES, runs)
        print(title, json.dumps(made[title]), flush=True)
    for horizons in (HORIZONS[:count] for count in range(1, len(HORIZONS))):
        for title in ("equal", "better"):
            name = f"{title}, of horizons {' '.join(map(str, horizons))} only"
            made[name] = rates(CASES[title], RULES, runs, horizons)
            print(name, json.dumps(made[name]), flush=True)
    return made


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="runs of each case")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    made = figures(options.runs)
    if options.save:
        save("promotion", f"python -m bench.promotion --runs {options.runs}", made)


if __name__ == "__main__":
    main()
