"""The viewer's choice, and its form in the page's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.clock import CLOCKS
from dashboard.live.quantile_forecast import UNITS
from dashboard.live.view_state import DEFAULT_HORIZON, PREFERRED_MODEL
from models.skill import NAIVE
from topics.records import HORIZONS
from topics.units import interval_ms

SHOWN = ("all", "fresh", "stale")
"""Which symbols are shown: all, those whose bars and forecasts are as new as the others', or those whose are not."""
RISES = {f"rise{horizon}": horizon for horizon in HORIZONS}
"""The columns of the chances of a rise by the horizon [bars]."""
SORTS = ("symbol", "change", *RISES, "width", "regime", "bar", "forecast")
DESCENDING = "-"
"""What the name of an order begins with in the address where the largest comes first."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is shown, and in which order; None if the page may choose. `horizon` is in bars, and that of the intervals.

    `find` is a part of a symbol's name, `regime` the one state that is shown.
    """

    interval: str
    model: str | None = None
    horizon: int = DEFAULT_HORIZON
    unit: str = UNITS[0]
    sort: str = SORTS[0]
    descending: bool = False
    find: str = ""
    regime: str | None = None
    shown: str = SHOWN[0]
    clock: str = CLOCKS[0]

    def sorted_by(self, column: str) -> "Choice":
        """Return the choice after a press on a column's head: the other way round if it was in that order already."""
        if column not in SORTS:
            return self
        return replace(self, sort=column, descending=column == self.sort and not self.descending)


def parse(given: Mapping[str, str], interval: str) -> tuple[Choice, tuple[str, ...]]:
    """Read the query of the address; `interval` is the usual one. Return the choice and what could not be followed."""
    notes: list[str] = []

    def one_of(name: str, known: Sequence[str], default: str) -> str:
        value = given.get(name, default)
        if value in known:
            return value
        notes.append(f"{name}={value[:40]} in the address is none of {', '.join(known)}: this is {default}.")
        return default

    sort = given.get("sort", SORTS[0])
    column = sort.removeprefix(DESCENDING)
    if column not in SORTS:
        notes.append(f"sort={sort[:40]} in the address is none of {', '.join(SORTS)}: this is by {SORTS[0]}.")
        sort = column = SORTS[0]
    wanted = given.get("interval", interval)
    try:
        interval_ms(wanted)
    except ValueError:
        notes.append(f"interval={wanted[:40]} in the address is not a length such as 1m: this is {interval}.")
        wanted = interval
    choice = Choice(
        interval=wanted,
        model=given.get("model") or None,
        horizon=int(one_of("horizon", [str(horizon) for horizon in HORIZONS], str(DEFAULT_HORIZON))),
        unit=one_of("unit", UNITS, UNITS[0]),
        sort=column,
        descending=sort.startswith(DESCENDING),
        find=given.get("find", "")[:40],
        regime=given.get("regime") or None,
        shown=one_of("show", SHOWN, SHOWN[0]),
        clock=one_of("clock", CLOCKS, CLOCKS[0]),
    )
    return choice, tuple(notes)


def settle(choice: Choice, intervals: Sequence[str], models: Sequence[str]) -> tuple[Choice, tuple[str, ...]]:
    """Fill in the model, and replace what is not there. Empty `intervals` or `models`: not known yet."""
    notes = []
    if intervals and choice.interval not in intervals:
        notes.append(f"There are no {choice.interval} bars in the database: these are {intervals[0]}.")
        return replace(choice, interval=intervals[0]), tuple(notes)
    if models and choice.model not in models:
        informed = [model for model in models if model != NAIVE]
        found = PREFERRED_MODEL if PREFERRED_MODEL in models else (informed or list(models))[0]
        if choice.model:
            notes.append(f"There are no forecasts of a model {choice.model[:40]}: this is {found}.")
        choice = replace(choice, model=found)
    return choice, tuple(notes)


def query(choice: Choice, interval: str) -> dict[str, str | None]:
    """Return the query that restores the choice; what is the default is None. `interval` is the usual one."""
    order = f"{DESCENDING if choice.descending else ''}{choice.sort}"
    return {
        "interval": choice.interval if choice.interval != interval else None,
        "model": choice.model,
        "horizon": str(choice.horizon) if choice.horizon != DEFAULT_HORIZON else None,
        "unit": choice.unit if choice.unit != UNITS[0] else None,
        "sort": order if order != SORTS[0] else None,
        "find": choice.find or None,
        "regime": choice.regime,
        "show": choice.shown if choice.shown != SHOWN[0] else None,
        "clock": choice.clock if choice.clock != CLOCKS[0] else None,
    }
