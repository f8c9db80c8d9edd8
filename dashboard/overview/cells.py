"""What the table says of each symbol, as text, and in which order the symbols are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from urllib.parse import urlencode

from dashboard.clock import CLOCKS, MOMENT, Clock
from dashboard.live.freshness import late
from dashboard.live.quantile_forecast import QuantileForecast, between
from dashboard.live.view_state import span_label
from dashboard.number_format import DASH, percent, price, state_name
from dashboard.overview.reader import PAST_BARS, Overview, SymbolNow
from dashboard.overview.view_state import RISES, SHOWN, Choice
from observability.lag import length
from topics.units import interval_ms

WIDTH, HEIGHT, MARGIN = 120, 28, 2
"""Of the line of the price, in its own units."""
LEVELS = {"interval90": ("q05", "q95"), "interval80": ("q10", "q90")}
TEXTS = ("close", "change", *RISES, *LEVELS, "regime", "bar", "bar_age", "forecast", "forecast_age")
"""The columns that are written as they are; those below are the row's marks, its link and its line."""
COLUMNS = ("symbol", *TEXTS, "href", "path", "reach", "colour", "stale", "late")


@dataclass(frozen=True, kw_only=True)
class Look:
    """How all is written: the regimes' colours, the clock, the theme of the links, and the newest bar of all [epoch
    ms]."""

    regimes: Mapping[str, str]
    clock: Clock
    theme: str | None
    newest: float | None


def behind(time: float | None, look: Look, choice: Choice) -> int | None:
    """Return how many bars a time is before the newest bar of all, None if either is not known."""
    if time is None or look.newest is None:
        return None
    return max(0, round((look.newest - time) / interval_ms(choice.interval)))


def cells(one: SymbolNow, choice: Choice, look: Look) -> dict[str, str]:
    """Return the cells of a symbol by the names of `COLUMNS`; an empty `stale` or `late` is neither.

    `stale` is that its newest bar is old beside the others', `late` that its newest forecast is, or is not there.
    """
    bar_behind, said_behind = behind(one.bar, look, choice), behind(one.forecast, look, choice)
    stale, forecast_late = late(bar_behind), said_behind is None or late(said_behind)
    of_horizon = one.said.get(choice.horizon)
    path, reach = line(one, choice.interval)
    rises = {name: one.said.get(horizon) for name, horizon in RISES.items()}
    return {
        "symbol": one.symbol,
        "close": price(one.close),
        "change": percent(one.change, 2, sign=True),
        **{name: percent(said.p_up if said else None, 0) for name, said in rises.items()},
        **{
            name: between(of_horizon, getattr(of_horizon, low, None), getattr(of_horizon, high, None), choice.unit)
            for name, (low, high) in LEVELS.items()
        },
        "regime": state_name(one.state) if one.state else DASH,
        "colour": look.regimes.get(one.state or "", "transparent"),
        **_dated("bar", one.bar, bar_behind, stale, choice, look),
        **_dated("forecast", one.forecast, said_behind, forecast_late, choice, look),
        "href": address(one.symbol, choice, look.theme),
        "path": path,
        "reach": reach,
        "stale": "stale" if stale else "",
        "late": "late" if forecast_late else "",
    }


def _dated(name: str, time: float | None, bars: int | None, old: bool, choice: Choice, look: Look) -> dict[str, str]:
    """Return a time, with its date once it is old, and its age beside the newest bar of all by the data's time."""
    if time is None or bars is None:
        return {name: DASH, f"{name}_age": "none"}
    age = f"{length(bars * interval_ms(choice.interval) / 1000)} old" if bars else ""
    shown = f"{look.clock.at(time):{MOMENT}}" if old else look.clock.brief(time, look.newest or time, zone="")
    return {name: shown, f"{name}_age": age}


def line(one: SymbolNow, bar_interval: str) -> tuple[str, str]:
    """Return the path of the price over its `PAST_BARS`, broken where bars are missing, and which prices it spans."""
    if not one.past:
        return "", ""
    span = PAST_BARS * interval_ms(bar_interval)
    closes = [close for _, close in one.past]
    low, high = min(closes), max(closes)
    step = min((after - before for (before, _), (after, _) in zip(one.past, one.past[1:], strict=False)), default=span)
    parts, last = [], None
    for time, close in one.past:
        across = WIDTH - MARGIN - (WIDTH - 2 * MARGIN) * min(1.0, max(0.0, (one.bar - time) / span))
        share = (close - low) / (high - low) if high > low else 0.5
        joined = last is not None and time - last <= 1.5 * step
        parts.append(f"{'L' if joined else 'M'}{across:.0f} {HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share:.1f}")
        last = time
    return "".join(parts), f"{span_label(PAST_BARS, bar_interval)}: {price(low)} to {price(high)}"


def address(symbol: str, choice: Choice, theme: str | None) -> str:
    """Return where the live page shows the symbol, with the same model, horizon, clock and theme."""
    parts = {
        "symbol": symbol,
        "interval": choice.interval,
        "horizon": str(choice.horizon),
        "model": choice.model,
        "clock": choice.clock if choice.clock != CLOCKS[0] else None,
        "theme": theme,
    }
    return f"/live?{urlencode({name: value for name, value in parts.items() if value})}"


def arranged(overview: Overview, choice: Choice, look: Look) -> list[str]:
    """Return the symbols that are shown in the chosen order; those whose value is unknown come last."""
    shown = [one for one in overview.symbols if _wanted(one, choice, look)]
    key = _key(choice, look)
    known = [(value, one.symbol) for one in shown if (value := key(one)) is not None]
    unknown = [one.symbol for one in shown if key(one) is None]
    known.sort(key=lambda pair: pair[0], reverse=choice.descending)
    return [symbol for _, symbol in known] + unknown


def _wanted(one: SymbolNow, choice: Choice, look: Look) -> bool:
    stale = old(one, choice, look)
    return (
        choice.find.upper() in one.symbol.upper()
        and choice.regime in (None, one.state)
        and choice.shown in (SHOWN[0], SHOWN[2] if stale else SHOWN[1])
    )


def old(one: SymbolNow, choice: Choice, look: Look) -> bool:
    """Return whether a symbol's newest bar or forecast is old beside the newest bar of all, or there is no forecast."""
    said = behind(one.forecast, look, choice)
    return late(behind(one.bar, look, choice)) or said is None or late(said)


def _key(choice: Choice, look: Look) -> Callable[[SymbolNow], float | str | None]:
    """Return by what symbols are put in order; None is unknown."""
    if choice.sort in RISES:
        return lambda one: _known(one.said.get(RISES[choice.sort]), lambda said: said.p_up)
    keys: dict[str, Callable[[SymbolNow], float | str | None]] = {
        "symbol": lambda one: one.symbol,
        "change": lambda one: one.change,
        "width": lambda one: _known(one.said.get(choice.horizon), width),
        "regime": lambda one: one.state,
        "bar": lambda one: behind(one.bar, look, choice),
        "forecast": lambda one: behind(one.forecast, look, choice),
    }
    return keys[choice.sort]


def width(said: QuantileForecast) -> float | None:
    """Return how wide the 90 % interval is, in log return, None if it is not known."""
    return None if said.q05 is None or said.q95 is None else said.q95 - said.q05


def _known(said: QuantileForecast | None, value: Callable[[QuantileForecast], float | None]) -> float | None:
    result = None if said is None else value(said)
    return result if result is not None and isfinite(result) else None


def states(symbols: Sequence[SymbolNow]) -> list[str]:
    """Return the regimes that there are."""
    return sorted({one.state for one in symbols if one.state})
