"""The conclusions in words: what is better than the naive forecast, with what certainty, and after a delay."""

from collections.abc import Iterable, Sequence
from math import isfinite

from evaluation.bootstrap import FEWEST_DAYS
from evaluation.display_columns import PERCENT, ahead
from evaluation.metrics import GAPPED
from evaluation.number_format import listed, number, probability
from evaluation.results import BASELINE, Results
from evaluation.significance import Comparison

CERTAIN = 0.05
"""The p, after Holm, below which a difference is called certain."""
SQUARED, QUANTILES = "squared", "pinball"


def conclusions(results: Results) -> list[str]:
    """Return the conclusions, one or more sentences per line: overall, by horizon, of the quantiles, and the
    definitions."""
    if len(results.models) < 2:
        return [f"Only {BASELINE} was scored: there is nothing to compare it with."]
    if results.undecided:
        return [
            f"These {len(results.days)} days are too few for conclusions: tests and intervals need {FEWEST_DAYS} at "
            f"least. No model is said to be better or worse than {BASELINE}; the figures below are those of these days "
            "alone. More days: without --quick, or with more --months."
        ]
    return [
        _overall(results),
        *(f"{_capital(ahead(horizon))}: {_at(results, horizon)}" for horizon in results.horizons),
        _quantiles(results),
        f"R² is of volatility-scaled returns, {BASELINE}'s is 0. Certain is a Diebold-Mariano test over "
        f"{len(results.days)} days with p below {CERTAIN:g}, adjusted for all models and horizons (Holm).",
    ]


def _overall(results: Results) -> str:
    first = {horizon: matches[0] for horizon in results.horizons if (matches := _better(results, SQUARED, horizon))}
    if not first:
        return f"No model is better than {BASELINE} with certainty, at any horizon."
    late = [
        h
        for h, matches in first.items()
        if _certain(results.compared(SQUARED + GAPPED, h, matches.model, BASELINE)) < 0
    ]
    left = f"that still holds {_bars(late)}" if late else "that holds at no horizon"
    return f"Better than {BASELINE} with certainty: {_bars(first)}. One bar late {left}."


def _at(results: Results, horizon: int) -> str:
    comparisons = _better(results, SQUARED, horizon)
    messages = [_first(results, comparisons) if comparisons else _none(results, horizon)]
    worse = [one.model for one in _compared(results, SQUARED, horizon) if _certain(one) > 0]
    if worse:
        messages.append(f"Worse than {BASELINE}: {listed(worse)}.")
    return " ".join(messages)


def _first(results: Results, comparisons: Sequence[Comparison]) -> str:
    """Return the words of the models that are better, the one that gained most first."""
    one, *others = comparisons
    members = (results.member(SQUARED, one.horizon, other.model) for other in others)
    alike = [other.model for other, member in zip(others, members, strict=True) if member and member.inside]
    beside = f" ({listed(alike)} {'is' if len(alike) == 1 else 'are'} not told apart from it)" if alike else ""
    return f"{one.model}, R² {_r2(results, one)}, p {probability(one.holm)}{beside}. {_late(results, one)}"


def _late(results: Results, one: Comparison) -> str:
    value = results.find(one.model, one.horizon, "r2" + GAPPED).value
    test = results.compared(SQUARED + GAPPED, one.horizon, one.model, BASELINE)
    if test is None or not isfinite(value) or not isfinite(test.holm):
        return "The effect of one bar's delay is unknown."
    side = {-1: f"better than {BASELINE}", 0: f"no certain difference from {BASELINE}", 1: f"worse than {BASELINE}"}
    p = f"p {probability(test.holm)}"
    return f"Entered one bar late it is {number(PERCENT * value, 2)} %, {side[_certain(test)]} ({p})."


def _none(results: Results, horizon: int) -> str:
    compared = [one for one in _compared(results, SQUARED, horizon) if isfinite(one.holm)]
    if not compared:
        return f"none; no model has a mean other than {BASELINE}'s."
    one = min(compared, key=lambda test: test.difference)
    return f"none; the first by R² is {one.model} with {_r2(results, one)}, p {probability(one.holm)}."


def _quantiles(results: Results) -> str:
    firsts = [comparisons[0] for horizon in results.horizons if (comparisons := _better(results, QUANTILES, horizon))]
    if not firsts:
        return f"Quantiles: no model's are better than {BASELINE}'s with certainty."
    messages = (
        f"{ahead(one.horizon)} {one.model} (pinball loss {number(-PERCENT * _gain(results, one), 1, sign=True)} %)"
        for one in firsts
    )
    return f"Quantiles better than {BASELINE}'s with certainty: {', '.join(messages)}."


def _gain(results: Results, one: Comparison) -> float:
    return results.skill(QUANTILES, one.horizon, one.model, BASELINE)


def _r2(results: Results, one: Comparison) -> str:
    cell = results.find(one.model, one.horizon, "r2")
    value, low, high = (number(PERCENT * part, 2) for part in (cell.value, cell.low, cell.high))
    return f"{value} % ({low} to {high})" if isfinite(cell.low) else f"{value} %"


def _better(results: Results, loss: str, horizon: int) -> list[Comparison]:
    """Return the models that are better than the baseline with certainty, the one that gained most first."""
    comparisons = [one for one in _compared(results, loss, horizon) if _certain(one) < 0]
    return sorted(comparisons, key=lambda one: one.difference)


def _compared(results: Results, loss: str, horizon: int) -> list[Comparison]:
    tests = (results.compared(loss, horizon, model, BASELINE) for model in results.models)
    return [test for test in tests if test is not None]


def _certain(test: Comparison | None) -> int:
    """Return -1 where the model's loss is smaller than the baseline's with certainty, 1 where larger, else 0."""
    if test is None or not test.holm < CERTAIN:
        return 0
    return -1 if test.difference < 0 else 1


def _bars(horizons: Iterable[int]) -> str:
    """Return horizons in words."""
    results = list(horizons)
    return f"{listed([str(horizon) for horizon in results])} bar{'s' if results[-1] > 1 else ''} ahead"


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
