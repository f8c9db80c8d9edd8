"""The viewer's choice, and its form in the page's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.clock import CLOCKS
from dashboard.live import layers
from models.skill import NAIVE
from topics.markets import canonical
from topics.records import HORIZONS
from topics.units import interval_ms, interval_name

SPANS = (180, 720, 2880, 10_080, 43_200)
"""The spans to choose from, in bars: of one minute they are 3h, 12h, 2d, 7d and 30d."""
DEFAULT_HORIZON = 15
PREFERRED_MODEL = "gbm"


@dataclass(frozen=True)
class BarSeries:
    """A symbol and the interval of its bars."""

    symbol: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The viewer's choice; None if the page may choose. `span` is in bars, `horizon` too.

    `hidden` are the layers that are switched off in the legends, by the names of `dashboard.live.layers`.
    """

    symbol: str | None = None
    interval: str | None = None
    model: str | None = None
    horizon: int = DEFAULT_HORIZON
    span: int = SPANS[0]
    clock: str = CLOCKS[0]
    hidden: frozenset[str] = frozenset()

    @property
    def series(self) -> BarSeries | None:
        """Return the chosen series once it is known."""
        return BarSeries(self.symbol, self.interval) if self.symbol and self.interval else None


def span_label(bars: int, interval: str) -> str:
    """Return the time that so many bars take.

    >>> span_label(180, "1m")
    '3h'
    """
    return interval_name(bars * interval_ms(interval))


def parse(given: Mapping[str, str], interval: str) -> tuple[Choice, tuple[str, ...]]:
    """Read the query of the address; `interval` is the usual one. Return the choice and what could not be followed."""
    notes = []
    choice = Choice(
        symbol=given.get("symbol") or None,
        model=given.get("model") or None,
        hidden=frozenset(filter(layers.known, given.get("hide", "").split(","))),
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
    return choice, tuple(notes)


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
    }


def _note(name: str, value: str, expected: str, used: str) -> str:
    return f"{name}={value[:40]} in the address is not {expected}: this is {used}."
