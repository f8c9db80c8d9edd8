"""The columns that the terminal, the report and the leaderboard show: one definition for all three."""

from collections.abc import Callable
from typing import NamedTuple

from evaluation.results import BASELINE, REAL_VOLATILITY, Results
from evaluation.wording import DASH, number, probability, stars

PERCENT = 100.0
Text = Callable[[Results, str, int], str]


class Shown(NamedTuple):
    """A column: its heading, what it means in a sentence, and the text of a model and horizon."""

    heading: str
    meaning: str
    text: Text


def _value(metric: str, places: int, factor: float = 1.0, sign: bool = False) -> Text:
    return lambda results, model, horizon: number(factor * results.find(model, horizon, metric).value, places, sign)


def _detectable(metric: str, places: int, factor: float = 1.0) -> Text:
    """Return the text of a minimum detectable effect; a metric that is always the same, as naive's R2, has none."""

    def text(results: Results, model: str, horizon: int) -> str:
        found = results.find(model, horizon, metric).detectable
        return number(factor * found, places) if found > 0 else DASH

    return text


def _interval(metric: str, places: int, factor: float = 1.0) -> Text:
    def text(results: Results, model: str, horizon: int) -> str:
        found = results.find(model, horizon, metric)
        if not found.detectable > 0:
            return DASH
        return f"{number(factor * found.low, places)} to {number(factor * found.high, places)}"

    return text


def _skill(loss: str, reference: str) -> Text:
    """Return the text of a loss less the reference's, in percent: negative is better."""

    def text(results: Results, model: str, horizon: int) -> str:
        if model == reference:
            return DASH
        return number(-PERCENT * results.skill(loss, horizon, model, reference), 1, sign=True)

    return text


def _accuracy(results: Results, model: str, horizon: int) -> str:
    found, up = (results.find(model, horizon, metric).value for metric in ("accuracy", "always_up"))
    return f"{number(PERCENT * found, 1)} ({number(PERCENT * up, 1)})"


def better(results: Results, model: str, horizon: int) -> str:
    """Return whether the squared error differs from the baseline's: "better" or "worse" with stars, else nothing."""
    found = results.compared("squared", horizon, model, BASELINE)
    if found is None or not stars(found.holm):
        return ""
    return f"{'better' if found.difference < 0 else 'worse'} {stars(found.holm)}"


def _inside(results: Results, model: str, horizon: int) -> str:
    found = results.member("squared", horizon, model)
    return "yes" if found is not None and found.inside else ""


R2 = Shown("R² %", "R² of volatility-scaled returns against a forecast of zero", _value("r2", 2, PERCENT))
COLUMNS = (
    R2,
    Shown(
        "detect. R²",
        "R² (in %) that these days would find at 5 % with a power of 80 %",
        _detectable("r2", 2, PERCENT),
    ),
    Shown("IC", "correlation of mean and return, both in units of the volatility", _value("ic", 3)),
    Shown("detect. IC", "IC that these days would find at 5 % with a power of 80 %", _detectable("ic", 3)),
    Shown(
        "hit % (up)",
        "directional accuracy where the price moved and a side was taken, beside the share of rises",
        _accuracy,
    ),
    Shown("pinball", "pinball loss less naive's, in %: negative is better", _skill("pinball", BASELINE)),
    Shown("CRPS", "continuous ranked probability score in units of the volatility", _value("crps", 4)),
    Shown("Winkler", "Winkler score of the 90 % interval less naive's, in %", _skill("winkler", BASELINE)),
    Shown("QLIKE", f"QLIKE of the volatility less {REAL_VOLATILITY}'s, in %", _skill("qlike", REAL_VOLATILITY)),
    Shown("cover %", "coverage of the 90 % interval", _value("coverage_90", 1, PERCENT)),
    Shown("edge bp", "mean of sign(mean) times return in basis points, before any cost", _value("edge_bp", 2)),
    Shown("vs naive", "Diebold-Mariano test of the squared error: * 5 %, ** 1 %, *** 0.1 % after Holm", better),
    Shown("MCS", "in the 90 % model confidence set of the squared error", _inside),
)
"""What every table of models has, one row a model."""

GAP_COLUMNS = (
    *(
        Shown(heading + late, meaning + after, _value(metric + suffix, places, factor))
        for metric, heading, meaning, places, factor in (
            ("r2", "R² %", "R² of volatility-scaled returns", 2, PERCENT),
            ("ic", "IC", "correlation of mean and return", 3, 1.0),
            ("accuracy", "hit %", "directional accuracy", 1, PERCENT),
            ("edge_bp", "edge bp", "mean gross edge", 2, 1.0),
            ("break_even_bp", "break-even bp", "cost a traded unit at which nothing is left", 2, 1.0),
        )
        for suffix, late, after in (("", "", ""), ("_gapped", ", late", ", entered one bar late"))
    ),
)
"""Each point metric, and the same where the position is entered one bar late."""

MORE_COLUMNS = (
    Shown("R² interval", "95 % interval of R² (in %) by resampling days", _interval("r2", 2, PERCENT)),
    Shown("raw R² %", "R² in log return, where turbulent hours weigh most", _value("r2_raw", 2, PERCENT)),
    Shown("IC interval", "95 % interval of the IC by resampling days", _interval("ic", 3)),
    Shown("rank IC", "Spearman's correlation of mean and return", _value("rank_ic", 3)),
    Shown(
        "top hit %",
        "directional accuracy of the tenth of the forecasts that are largest",
        _value("top_decile", 1, PERCENT),
    ),
    Shown("Brier", "Brier score of p_up where the price moved", _value("brier", 4)),
    Shown("slope", "calibration slope of p_up: 1 is calibrated, less is too bold", _value("calibration_slope", 2)),
    Shown("QLIKE", "QLIKE of the scale", _value("qlike", 4)),
    Shown("log vol. MSE", "squared error of the log volatility", _value("log_volatility_mse", 4)),
    Shown("cover 50 %", "coverage of the 50 % interval", _value("coverage_50", 1, PERCENT)),
)
"""What the report adds."""


def rows(results: Results, horizon: int, columns: tuple[Shown, ...] = COLUMNS) -> list[list[str]]:
    """Return a row a model: its name, and the text of each column."""
    return [[model, *(column.text(results, model, horizon) for column in columns)] for model in results.models]


def superiority(results: Results, horizon: int) -> str:
    """Return what the SPA test says of a horizon, in a sentence; nothing where it was not made."""
    found = [test.p for test in results.superiority if (test.loss, test.horizon) == ("squared", horizon)]
    return f"SPA test that no model beats {BASELINE} in squared error: p {probability(found[0])}" if found else ""


def ahead(horizon: int) -> str:
    """Return a horizon in words.

    >>> ahead(1), ahead(15)
    ('1 bar ahead', '15 bars ahead')
    """
    return f"{horizon} bar{'s' if horizon > 1 else ''} ahead"
