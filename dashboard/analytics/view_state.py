"""The viewer's choice on the page, and its form in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from models.skill import NAIVE
from topics.markets import canonical
from topics.records import HORIZONS

PREFERRED_MODEL = "gbm"
COSTS_BP = (0, 1, 2, 5, 10)
"""What the policy on paper pays for a unit traded, to choose from, in basis points."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """How far back the page looks, the steps of its curves, and over how much of the past each point is."""

    name: str
    length: timedelta
    step: timedelta
    rolling: timedelta


WINDOWS = (
    Window(name="1d", length=timedelta(days=1), step=timedelta(hours=1), rolling=timedelta(hours=6)),
    Window(name="7d", length=timedelta(days=7), step=timedelta(hours=1), rolling=timedelta(days=1)),
    Window(name="30d", length=timedelta(days=30), step=timedelta(hours=6), rolling=timedelta(days=3)),
)


@dataclass(frozen=True, kw_only=True)
class Market:
    """What the curves are of: a symbol, or all where it is None; a horizon in bars; and a window."""

    symbol: str | None
    horizon: int
    window: Window


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The viewer's choice; `model` is None while the page may choose."""

    market: Market
    model: str | None = None
    cost_bp: int = COSTS_BP[2]


DEFAULT = Choice(market=Market(symbol=None, horizon=15, window=WINDOWS[1]))


@dataclass(frozen=True)
class Catalog:
    """The symbols and models that have forecasts."""

    symbols: tuple[str, ...]
    models: tuple[str, ...]


def parse(given: Mapping[str, str]) -> tuple[Choice, tuple[str, ...]]:
    """Read the query of the address; return the choice and what could not be followed."""
    notes: list[str] = []

    def one_of(name: str, known: Mapping[str, object], default: str) -> str:
        value = given.get(name, default)
        if value in known:
            return value
        notes.append(f"{name}={value[:40]} in the address is none of {', '.join(known)}: this is {default}.")
        return default

    horizons = {str(horizon): horizon for horizon in HORIZONS}
    windows = {window.name: window for window in WINDOWS}
    costs = {str(cost): cost for cost in COSTS_BP}
    market = Market(
        symbol=given.get("symbol") or None,
        horizon=horizons[one_of("horizon", horizons, str(DEFAULT.market.horizon))],
        window=windows[one_of("window", windows, DEFAULT.market.window.name)],
    )
    cost = costs[one_of("cost", costs, str(DEFAULT.cost_bp))]
    return Choice(market=market, model=given.get("model") or None, cost_bp=cost), tuple(notes)


def settle(choice: Choice, catalog: Catalog) -> tuple[Choice, tuple[str, ...]]:
    """Fill in the model, and replace what has no forecasts. An empty catalog says nothing."""
    notes: list[str] = []
    symbol = choice.market.symbol
    if catalog.symbols and symbol is not None and symbol not in catalog.symbols:
        found: str | None = canonical(symbol)
        if found not in catalog.symbols:
            notes.append(f"There are no forecasts of {symbol[:40]}: these are all symbols.")
            found = None
        choice = replace(choice, market=replace(choice.market, symbol=found))
    if catalog.models and choice.model not in catalog.models:
        found_model = preferred(catalog.models)
        if choice.model:
            notes.append(f"There are no forecasts of a model {choice.model[:40]}: this is {found_model}.")
        choice = replace(choice, model=found_model)
    return choice, tuple(notes)


def preferred(models: Sequence[str]) -> str:
    """Return the model that is shown unless one is chosen."""
    informed = [model for model in models if model != NAIVE]
    return PREFERRED_MODEL if PREFERRED_MODEL in models else (informed or list(models))[0]


def query(choice: Choice) -> dict[str, str | None]:
    """Return the query that restores the choice; what is the default is None."""
    market, usual = choice.market, DEFAULT.market
    return {
        "symbol": market.symbol,
        "horizon": str(market.horizon) if market.horizon != usual.horizon else None,
        "model": choice.model,
        "window": market.window.name if market.window != usual.window else None,
        "cost": str(choice.cost_bp) if choice.cost_bp != DEFAULT.cost_bp else None,
    }
