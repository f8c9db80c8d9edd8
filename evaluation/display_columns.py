"""The columns that the terminal, the report and the leaderboard show: one definition for all three."""

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

from evaluation.number_format import DASH, number, probability, stars
from evaluation.results import BASELINE, REAL_VOLATILITY, Results

PERCENT = 100.0
Text = Callable[[Results, str, int], str]


class ReportColumn(NamedTuple):
    """A column: its heading, what it means in a sentence, and the text of a model and horizon.

    A `tested` column is left out if there are too few days for tests and intervals.
    """

    heading: str
    meaning: str
    text: Text
    tested: bool = False


def _value(metric: str, places: int, factor: float = 1.0, sign: bool = False) -> Text:
    return lambda results, model, horizon: number(factor * results.find(model, horizon, metric).value, places, sign)


def _detectable(metric: str, places: int, factor: float = 1.0) -> Text:
    """Return the text of a minimum detectable effect; a metric that is always the same, as naive's R2, has none."""

    def text(results: Results, model: str, horizon: int) -> str:
        result = results.find(model, horizon, metric).detectable
        return number(factor * result, places) if result > 0 else DASH

    return text


def _interval(metric: str, places: int, factor: float = 1.0) -> Text:
    def text(results: Results, model: str, horizon: int) -> str:
        cell = results.find(model, horizon, metric)
        if not cell.detectable > 0:
            return DASH
        return f"{number(factor * cell.low, places)} to {number(factor * cell.high, places)}"

    return text


def _skill(loss: str, reference: str) -> Text:
    """Return the text of a loss less the reference's, in percent: negative is better."""

    def text(results: Results, model: str, horizon: int) -> str:
        if model == reference:
            return DASH
        return number(-PERCENT * results.skill(loss, horizon, model, reference), 1, sign=True)

    return text


def _accuracy(results: Results, model: str, horizon: int) -> str:
    result, up = (results.find(model, horizon, metric).value for metric in ("accuracy", "always_up"))
    return f"{number(PERCENT * result, 1)} ({number(PERCENT * up, 1)})"


def better(results: Results, model: str, horizon: int) -> str:
    """Return whether the squared error differs from the baseline's: "better" or "worse" with stars, else nothing."""
    comparison = results.compared("squared", horizon, model, BASELINE)
    if comparison is None or not stars(comparison.holm):
        return ""
    return f"{'better' if comparison.difference < 0 else 'worse'} {stars(comparison.holm)}"


def _inside(results: Results, model: str, horizon: int) -> str:
    membership = results.member("squared", horizon, model)
    return "yes" if membership is not None and isfinite(membership.p) and membership.inside else ""


R2 = ReportColumn("R² %", "R² of volatility-scaled returns against a forecast of zero", _value("r2", 2, PERCENT))
COLUMNS = (
    R2,
    ReportColumn(
        "detect. R²",
        "R² (in %) that these days would find at 5 % with a power of 80 %",
        _detectable("r2", 2, PERCENT),
        tested=True,
    ),
    ReportColumn("IC", "correlation of mean and return, both in units of the volatility", _value("ic", 3)),
    ReportColumn(
        "detect. IC", "IC that these days would find at 5 % with a power of 80 %", _detectable("ic", 3), tested=True
    ),
    ReportColumn(
        "hit % (up)",
        "directional accuracy where the price moved and the forecast had a direction, with the share of rises",
        _accuracy,
    ),
    ReportColumn("pinball", "pinball loss less naive's, in %: negative is better", _skill("pinball", BASELINE)),
    ReportColumn("CRPS", "continuous ranked probability score in units of the volatility", _value("crps", 4)),
    ReportColumn("Winkler", "Winkler score of the 90 % interval less naive's, in %", _skill("winkler", BASELINE)),
    ReportColumn("QLIKE", f"QLIKE of the volatility less {REAL_VOLATILITY}'s, in %", _skill("qlike", REAL_VOLATILITY)),
    ReportColumn("cover %", "coverage of the 90 % interval", _value("coverage_90", 1, PERCENT)),
    ReportColumn("edge bp", "mean of sign(mean) times return in basis points, before any cost", _value("edge_bp", 2)),
    ReportColumn(
        "vs naive", "Diebold-Mariano test of the squared error: * 5 %, ** 1 %, *** 0.1 % after Holm", better, True
    ),
    ReportColumn("MCS", "in the 90 % model confidence set of the squared error", _inside, tested=True),
)
"""The columns of every table of models, one row per model."""

GAP_COLUMNS = (
    *(
        ReportColumn(heading + late, meaning + after, _value(metric + suffix, places, factor))
        for metric, heading, meaning, places, factor in (
            ("r2", "R² %", "R² of volatility-scaled returns", 2, PERCENT),
            ("ic", "IC", "correlation of mean and return", 3, 1.0),
            ("accuracy", "hit %", "directional accuracy", 1, PERCENT),
            ("edge_bp", "edge bp", "mean gross edge", 2, 1.0),
            ("break_even_bp", "break-even bp", "cost per traded unit at which the edge is zero", 2, 1.0),
        )
        for suffix, late, after in (("", "", ""), ("_gapped", ", late", ", entered one bar late"))
    ),
)
"""Each point metric, and the same with the position entered one bar late."""

MORE_COLUMNS = (
    ReportColumn("R² interval", "95 % interval of R² (in %) by resampling days", _interval("r2", 2, PERCENT), True),
    ReportColumn("raw R² %", "R² in log return, where turbulent hours weigh most", _value("r2_raw", 2, PERCENT)),
    ReportColumn("IC interval", "95 % interval of the IC by resampling days", _interval("ic", 3), True),
    ReportColumn("rank IC", "Spearman's correlation of mean and return", _value("rank_ic", 3)),
    ReportColumn(
        "top hit %",
        "directional accuracy of the tenth of the forecasts that are largest",
        _value("top_decile", 1, PERCENT),
    ),
    ReportColumn("Brier", "Brier score of p_up where the price moved", _value("brier", 4)),
    ReportColumn(
        "slope", "calibration slope of p_up: 1 is calibrated, less is overconfident", _value("calibration_slope", 2)
    ),
    ReportColumn("QLIKE", "QLIKE of the scale", _value("qlike", 4)),
    ReportColumn("log vol. MSE", "squared error of the log volatility", _value("log_volatility_mse", 4)),
    ReportColumn("cover 50 %", "coverage of the 50 % interval", _value("coverage_50", 1, PERCENT)),
)
"""The report's further columns."""


def of_days(results: Results, columns: tuple[ReportColumn, ...]) -> tuple[ReportColumn, ...]:
    """Return the columns available with this many days."""
    return tuple(column for column in columns if not (column.tested and results.undecided))


def rows(results: Results, horizon: int, columns: tuple[ReportColumn, ...] = COLUMNS) -> list[list[str]]:
    """Return a row a model: its name, and the text of each column."""
    return [[model, *(column.text(results, model, horizon) for column in columns)] for model in results.models]


def superiority(results: Results, horizon: int) -> str:
    """Return the result of a horizon's SPA test, in a sentence; empty if it was not made."""
    matches = [
        test.p for test in results.superiority if (test.loss, test.horizon) == ("squared", horizon) and isfinite(test.p)
    ]
    return f"SPA test that no model beats {BASELINE} in squared error: p {probability(matches[0])}" if matches else ""


def ahead(horizon: int) -> str:
    """Return a horizon in words.

    >>> ahead(1), ahead(15)
    ('1 bar ahead', '15 bars ahead')
    """
    return f"{horizon} bar{'s' if horizon > 1 else ''} ahead"
