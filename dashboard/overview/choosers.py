"""The widgets by which the viewer chooses what is shown of all symbols."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import Select, TextInput

from dashboard.clock import CLOCKS
from dashboard.live.quantile_forecast import UNITS
from dashboard.live.view_state import span_label
from dashboard.number_format import state_name
from dashboard.overview.cells import states
from dashboard.overview.reader import Overview
from dashboard.overview.view_state import SHOWN, Choice
from dashboard.site_page import look
from topics.records import HORIZONS

EVERY = "all"


class Choosers:
    """Model, interval of the bars, horizon and unit of the intervals, the filters, and the clock."""

    def __init__(self) -> None:
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", **look()}
        self.model = Select(name="model", title="Model", **wide)
        self.interval = Select(name="interval", title="Bars", width=76, **look())
        self.horizon = RadioButtonGroup(name="horizon", **look())
        self.unit = RadioButtonGroup(name="unit", labels=["Price", UNITS[1]], **look())
        self.find = TextInput(name="find", title="Symbol contains", placeholder="any", **wide)
        self.regime = Select(name="regime", title="Regime", **wide)
        self.shown = RadioButtonGroup(name="shown", labels=[name.capitalize() for name in SHOWN], **look())
        self.clock = RadioButtonGroup(name="times", labels=[CLOCKS[0], CLOCKS[1].capitalize()], **look())

    @property
    def widgets(self) -> tuple[Any, ...]:
        """Return all of them."""
        return (
            self.model, self.interval, self.horizon, self.unit, self.find, self.regime, self.shown, self.clock
        )  # fmt: skip

    def on_change(self, chosen: Callable[[str, object, object], None]) -> None:
        """Tell of every choice; what is typed counts letter by letter."""
        for select in (self.model, self.interval, self.regime):
            select.on_change("value", chosen)
        for group in (self.horizon, self.unit, self.shown, self.clock):
            group.on_change("active", chosen)
        self.find.on_change("value_input", chosen)

    def show(self, choice: Choice, overview: Overview | None) -> None:
        """Show the choice among what there is."""
        if overview is not None:
            self.offer(overview)
        self._among(self.model, choice.model or "")
        self._among(self.interval, choice.interval)
        self._among(self.regime, choice.regime or EVERY)
        self.horizon.labels = [span_label(horizon, choice.interval) for horizon in HORIZONS]
        self.horizon.active = HORIZONS.index(choice.horizon)
        self.unit.active = UNITS.index(choice.unit)
        self.shown.active = SHOWN.index(choice.shown)
        self.clock.active = CLOCKS.index(choice.clock)
        if self.find.value_input != choice.find:
            self.find.value = self.find.value_input = choice.find

    def offer(self, overview: Overview) -> None:
        """Offer what there is to choose from, and what is chosen already."""
        regimes = {EVERY: EVERY} | {state: state_name(state) for state in states(overview.symbols)}
        for select, options in (
            (self.model, {model: model for model in overview.models}),
            (self.interval, {interval: interval for interval in overview.intervals}),
            (self.regime, regimes),
        ):
            named: list[str | tuple[Any, str]] = list((options | _kept(select, options)).items())
            if select.options != named:
                select.options = named
        self.interval.visible = len(self.interval.options) > 1

    def chosen(self, choice: Choice) -> Choice:
        """Return the choice with what the viewer has set."""
        return replace(
            choice,
            model=self.model.value or choice.model,
            interval=self.interval.value or choice.interval,
            regime=None if self.regime.value in ("", EVERY) else self.regime.value,
            horizon=HORIZONS[self.horizon.active or 0],
            unit=UNITS[self.unit.active or 0],
            find=(self.find.value_input or "").strip(),
            shown=SHOWN[self.shown.active or 0],
            clock=CLOCKS[self.clock.active or 0],
        )

    def _among(self, select: Select, value: str) -> None:
        """Choose a value, which is offered from then on."""
        if value and (value, state_name(value)) not in select.options:
            select.options = [*select.options, (value, state_name(value))]
        select.value = value


def _kept(select: Select, options: dict[str, str]) -> dict[str, str]:
    """Return the chosen value where it is not among the options: no symbol is in the regime that is looked for."""
    value = select.value
    return {value: state_name(value)} if value and value not in options else {}
