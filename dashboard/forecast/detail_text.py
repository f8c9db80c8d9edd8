"""The texts of a forecast's detail: functions from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping
from html import escape
from math import exp
from urllib.parse import urlencode

from dashboard.bridge import chooser
from dashboard.clock import Clock
from dashboard.forecast.inputs import Input, Inputs
from dashboard.forecast.reader import RegimeThen, StoredForecast, StoredOutcome, VersionForecast
from dashboard.html import heading, line
from dashboard.inspector.page_text import number, sentence
from dashboard.live.detail import ForecastKey
from dashboard.live.fan import BANDS
from dashboard.live.forecast_time import written
from dashboard.live.look import Look
from dashboard.live.opened_forecast import BACK, CLOSE, ON, PRESS
from dashboard.live.view_state import span_label
from dashboard.number_format import DASH, basis_points, percent, price, state_name
from dashboard.palette import model_dash
from settings.places import typed
from topics.units import interval_ms

UNUSUAL = 12
"""Inputs that are shown at once; the others are below them."""
LATENCY = (
    'Not stored with a forecast. <a href="/ops">Operations</a> shows how long ticks and bars take until they are '
    "published, by stage, as it is now."
)


def pairs(values: Mapping[str, str]) -> str:
    """Return names (plain text) and values (HTML), one below the other."""
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{value}</dd>' for name, value in values.items())}</dl>"


def head(key: ForecastKey, look: Look) -> str:
    """Return whose forecast it is, and the buttons that close it and lead to those of the bars beside."""
    mark = line(look.models.get(key.model, look.palette.baseline), model_dash(key.model), key.model)
    ahead = span_label(key.horizon, key.series.interval)
    return (
        f'<div class="bar"><h2>{mark}, {ahead} ahead</h2>{chooser("Close", PRESS + CLOSE)}</div>'
        f"<p>{escape(key.series.symbol)}, {escape(key.series.interval)} bars: forecast at the close of the bar of "
        f"<b>{look.clock.moment(key.time)}</b></p>"
        f'<div class="steps">{chooser("← Bar before", PRESS + BACK)}{chooser("Bar after →", PRESS + ON)}</div>'
    )


def forecast(told: StoredForecast, said: VersionForecast, clock: Clock) -> str:
    """Return the forecast in numbers."""
    values = {"Price at the forecast": price(said.price), "Target": clock.moment(told.target)}
    if said.quantiles is None:
        return heading("Forecast") + pairs(values) + sentence("The model had no forecast at this bar.", "muted")
    level = {name: price(said.price * exp(value)) for name, value in said.quantiles.items()}
    values["Median"] = f"<b>{level['q50']}</b>"
    values |= {f"{label} interval": f"{level[low]} to {level[high]}" for label, low, high in BANDS}
    values["Chance of a rise"] = percent(said.p_up, 0)
    values["Mean, log return"] = points(said.mean)
    values["Scale, log return"] = basis_points(said.scale)
    return heading("Forecast") + pairs(values)


def points(value: float | None) -> str:
    """Return a log return in basis points with its sign; one of exactly 0 has no direction."""
    if value == 0:
        return "0 bp, no direction"
    return basis_points(value) if value is None else f"{10_000 * value:+.2f} bp".replace("-", "\u2212")


def outcome(told: StoredForecast, said: VersionForecast, clock: Clock) -> str:
    """Return what came true, or why that is not known."""
    result, title = told.outcome, heading("Outcome")
    if result is None:
        text = (
            "No outcome is stored, though the bar of the target is: it may be scored shortly."
            if told.passed
            else f"Not known yet: the bar of {clock.moment(told.target)} is to come."
        )
        return title + sentence(text)
    if result.status == "t":
        return title + sentence("Unknown: no bar traded at the target.")
    if result.status == "u" or result.realised is None:
        return title + sentence("Not scored: the model had no forecast at this bar.")
    return title + pairs(_scored(result, said, result.realised))


def _scored(result: StoredOutcome, said: VersionForecast, realised: float) -> dict[str, str]:
    inside = {True: '<b class="hit">inside</b>', False: '<b class="missed">outside</b>', None: DASH}
    still = "none: the forecast had no direction" if said.mean == 0 else "none: the price did not move"
    right = {True: "right", False: "wrong", None: still}
    return {
        "Came true at": f"<b>{price(said.price * exp(realised))}</b>, {points(realised)}",
        "90 % interval": inside[result.interval_hit],
        "Error of the mean": basis_points(result.absolute_error),
        "Error of no change": basis_points(result.naive_absolute_error),
        "Direction": right[result.direction_hit],
    }


def origin(key: ForecastKey, told: StoredForecast, said: VersionForecast) -> str:
    """Return which version said it, in which state of the market, and how like its training data that was."""
    query = escape(urlencode({"model": key.model, "version": said.version}))
    values = {
        "Model": escape(key.model),
        "Version": f'<a href="/inspector?{query}">{escape(said.version)}</a>',
        "Role": f"{escape(said.role)}{'' if said.role == 'champion' else ', not served'}",
        "Regime": _regime(said.regime, told.regime),
        "Out of distribution": _likeness(said.dissimilarity),
        "Training": "<b>too old by then</b>" if said.expired else "not too old by then",
        "Features": escape(said.fingerprint),
        "Tick to publication": LATENCY,
    }
    if said.weights:
        largest = sorted(said.weights.items(), key=lambda item: -item[1])
        values["Weights"] = ", ".join(f"{escape(name)} {percent(weight, 0)}" for name, weight in largest)
    if told.beside:
        values["Beside it"] = ", ".join(f"{escape(version)} ({escape(role)})" for version, role in told.beside)
    return heading("Where it came from") + pairs(values)


def _regime(said: str | None, then: RegimeThen | None) -> str:
    if then is None:
        return f"{escape(state_name(said))}; its probability is not stored" if said else "not stored"
    change = "" if then.change_point is None else f"; change of volatility {percent(then.change_point, 0)}"
    return f"{escape(state_name(then.state))} {percent(then.probability, 0)}{change}"


def _likeness(dissimilarity: float | None) -> str:
    if dissimilarity is None:
        return "not known: no dissimilarity is stored"
    answer = "<b>yes, the forecast is unreliable</b>" if dissimilarity > 1 else "no"
    return f"{answer}: dissimilarity {number(dissimilarity)}, above 1 it is"


def inputs(found: Inputs | None) -> str:
    """Return the features of the bar, the most unusual first."""
    title = heading("Inputs", "features of the bar")
    if found is None:
        return title + sentence("The features of this bar are not stored.")
    known = sum(one.value is not None for one in found.values)
    text = f"{known} of {len(found.values)} are known, of definition {found.fingerprint}."
    how = (
        "The deviation is from the median of the version's training data, in robust standard deviations; prices, "
        "amounts and the calendar have none."
    )
    if not found.values:
        return title + sentence(found.note)
    ordered = not found.note
    shown, others = found.values[:UNUSUAL], found.values[UNUSUAL:]
    rest = f"<details><summary>The other {len(others)}</summary>{_table(others)}</details>" if others else ""
    return title + sentence(f"{text} {how if ordered else found.note}") + _table(shown) + rest


def _table(values: tuple[Input, ...]) -> str:
    rows = "".join(
        f'<tr><th class="long" title="{escape(one.name)}">{escape(one.name)}</th><td>{number(one.value)}</td>'
        f"<td>{_deviation(one.deviation)}</td></tr>"
        for one in values
    )
    return f"<table><tr><th>Feature</th><th>Value</th><th>Deviation</th></tr>{rows}</table>"


def _deviation(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value:+.1f}".replace("-", "\u2212") if abs(value) < 1000 else f"{value:+.1e}".replace("-", "\u2212")


def command(key: ForecastKey) -> str:
    """Return the command that explains the same forecast in a terminal."""
    bar = f"{key.series.symbol}/{key.series.interval}/{written(key.time)}/{key.model}"
    return f"<code>{typed('./foretick')} explain {escape(bar)} --horizon {key.horizon}</code>"


def absent(key: ForecastKey, clock: Clock) -> str:
    """Return that nothing is stored of the forecast."""
    step = interval_ms(key.series.interval)
    odd = f" Bars of {key.series.interval} begin at its multiples." if key.time % step else ""
    return sentence(
        f"No forecast of {key.model} for {key.series.symbol}, {span_label(key.horizon, key.series.interval)} ahead, is "
        f"stored for the bar of {clock.moment(key.time)}.{odd}"
    )
