"""The viewer's choice, and its form in the page's address."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dashboard.clock import CLOCKS
from dashboard.live import layers, past_view
from dashboard.live.forecast_time import read, written
from dashboard.live.past_view import PastView
from models.skill import NAIVE
from topics.markets import canonical
from topics.records import HORIZONS
from topics.units import interval_ms, interval_name

SPANS = (180, 720, 2880, 10_080, 43_200)
"""The spans to choose from, in bars: of one minute they are 3h, 12h, 2d, 7d and 30d."""
DEFAULT_HORIZON = 15
MOST_PANES = 4
"""So many indicators have a pane at most."""
INDICATOR = re.compile(r"[a-z0-9_]{1,60}(@[0-9]+[smhd])?")
"""What a column of the features is called, one of a longer timeframe too."""
PREFERRED_MODEL = "gbm"


@dataclass(frozen=True)
class BarSeries:
    """A symbol and the interval of its bars."""

    symbol: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The viewer's choice; None if the page may choose. `span` is in bars, `horizon` too.

    `hidden` are the layers that are switched off in the legends, by the names of `dashboard.live.layers`, `shown` those
    that are switched on of the ones that are off at first. `indicators` have a pane each, in their order. `without` are
    the panels that are not shown, by the names of `dashboard.live.panel_switches`; `forecast` is the time [epoch ms] of
    the bar whose forecast is told in detail, None if none is.
    """

    symbol: str | None = None
    interval: str | None = None
    model: str | None = None
    horizon: int = DEFAULT_HORIZON
    span: int = SPANS[0]
    clock: str = CLOCKS[0]
    hidden: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    indicators: tuple[str, ...] = ()
    past: PastView = field(default_factory=PastView)
    without: frozenset[str] = frozenset()
    forecast: int | None = None

    @property
    def series(self) -> BarSeries | None:
        """Return the chosen series once it is known."""
        return BarSeries(self.symbol, self.interval) if self.symbol and self.interval else None

    def pressed(self, layer: str) -> "Choice":
        """Return the choice with that layer switched."""
        if layer in layers.OPTIONAL:
            return replace(self, shown=self.shown ^ {layer})
        return replace(self, hidden=self.hidden ^ {layer})

    @property
    def unseen(self) -> frozenset[str]:
        """Return the layers that are not drawn."""
        return self.hidden | (layers.OPTIONAL - self.shown)


def span_label(bars: int, interval: str) -> str:
    """Return the time that so many bars take.

    >>> span_label(180, "1m")
    '3h'
    """
    return interval_name(bars * interval_ms(interval))


def parse(given: Mapping[str, str], interval: str) -> tuple[Choice, tuple[str, ...]]:
    """Read the query of the address; `interval` is the usual one. Return the choice and what could not be followed."""
    past, unread = past_view.parse(given)
    notes = [*unread]
    choice = Choice(
        past=past,
        symbol=given.get("symbol") or None,
        model=given.get("model") or None,
        hidden=frozenset(filter(layers.known, given.get("hide", "").split(","))) - layers.OPTIONAL,
        shown=layers.OPTIONAL.intersection(given.get("show", "").split(",")),
        indicators=_indicators(given.get("panes", "")),
        without=frozenset(filter(str.isidentifier, given.get("without", "").split(","))),
    )
    if "interval" in given:
        try:
            interval_ms(given["interval"])
            choice = replace(choice, interval=given["interval"])
        except ValueError:
            notes.append(_note("interval", given["interval"], "a length such as 1m", interval))
    if "horizon" in given:
        known = {str(horizon): horizon for horizon in HORIZONS}
        if given["horizon"] in known:
            choice = replace(choice, horizon=known[given["horizon"]])
        else:
            notes.append(_note("horizon", given["horizon"], f"one of {', '.join(known)}", str(DEFAULT_HORIZON)))
    if "span" in given:
        spans = {span_label(bars, choice.interval or interval): bars for bars in SPANS}
        if given["span"] in spans:
            choice = replace(choice, span=spans[given["span"]])
        else:
            notes.append(_note("span", given["span"], f"one of {', '.join(spans)}", next(iter(spans))))
    if "clock" in given:
        if given["clock"] in CLOCKS:
            choice = replace(choice, clock=given["clock"])
        else:
            notes.append(_note("clock", given["clock"], f"one of {', '.join(CLOCKS)}", CLOCKS[0]))
    forecast, no_time = _forecast(given.get("forecast", ""))
    return replace(choice, forecast=forecast), (*notes, *no_time)


def _forecast(text: str) -> tuple[int | None, tuple[str, ...]]:
    """Return the time of the opened forecast, and what could not be followed."""
    time = read(text)
    if time is None and text:
        return None, (f"forecast={text[:40]} in the address is no time such as 2025-06-02T00:00Z: none is open.",)
    return time, ()


def settle(
    choice: Choice, series: Sequence[BarSeries], models: Sequence[str], interval: str
) -> tuple[Choice, tuple[str, ...]]:
    """Fill in what the page may choose, and replace what is not there. Empty `series` or `models`: not known yet."""
    notes = []
    if series and choice.series not in series:
        wanted = choice.symbol
        same = [one for one in series if one.symbol in (wanted, canonical(wanted or ""))]
        usual = [one for one in series if one.interval == interval]
        asked = [one for one in same if one.interval == choice.interval]
        bar_series = (asked or same or usual or list(series))[0]
        if wanted and not same:
            notes.append(f"There is no {wanted} in the database: this is {bar_series.symbol}.")
        elif choice.interval and wanted and bar_series.interval != choice.interval:
            notes.append(
                f"There is no {wanted} of {choice.interval} bars in the database: this is {bar_series.interval}."
            )
        choice = replace(choice, symbol=bar_series.symbol, interval=bar_series.interval)
    if models and choice.model not in models:
        informed = [model for model in models if model != NAIVE]
        found_model = PREFERRED_MODEL if PREFERRED_MODEL in models else (informed or list(models))[0]
        if choice.model:
            notes.append(f"There are no forecasts of a model {choice.model}: this is {found_model}.")
        choice = replace(choice, model=found_model)
    return choice, tuple(notes)


def query(choice: Choice, interval: str) -> dict[str, str | None]:
    """Return the query that restores the choice; `interval` is the usual one, which needs no mention."""
    return {
        "symbol": choice.symbol,
        "interval": choice.interval if choice.interval != interval else None,
        "horizon": str(choice.horizon),
        "model": choice.model,
        "span": span_label(choice.span, choice.interval or interval),
        "clock": choice.clock if choice.clock != CLOCKS[0] else None,
        "hide": ",".join(sorted(choice.hidden)) or None,
        "show": ",".join(sorted(choice.shown)) or None,
        "panes": ",".join(choice.indicators) or None,
        **past_view.query(choice.past),
        "without": ",".join(sorted(choice.without)) or None,
        "forecast": None if choice.forecast is None else written(choice.forecast),
    }


def _indicators(text: str) -> tuple[str, ...]:
    names = (name for name in text.split(",") if INDICATOR.fullmatch(name))
    return tuple(dict.fromkeys(names))[:MOST_PANES]


def _note(name: str, value: str, expected: str, used: str) -> str:
    return f"{name}={value[:40]} in the address is not {expected}: this is {used}."
