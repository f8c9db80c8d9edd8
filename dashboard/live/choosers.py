"""The widgets by which the viewer chooses: they show a choice, and tell what was chosen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import Select

from dashboard.clock import CLOCKS
from dashboard.live.view_state import SPANS, BarSeries, Choice, span_label
from dashboard.site_page import look
from topics.records import HORIZONS


class Choosers:
    """Symbol, model, horizon, span and clock; `interval` is the usual one, which a symbol's name need not mention."""

    def __init__(self, interval: str) -> None:
        self.interval = interval
        self.symbol = Select(name="symbol", title="Symbol", sizing_mode="stretch_width", **look())
        self.model = Select(name="model", title="Model", sizing_mode="stretch_width", **look())
        self.horizon = RadioButtonGroup(name="horizon", **look())
        self.span = RadioButtonGroup(name="span", **look())
        self.clock = RadioButtonGroup(name="times", labels=[CLOCKS[0], CLOCKS[1].capitalize()], **look())

    @property
    def groups(self) -> tuple[RadioButtonGroup, ...]:
        """Return the groups of buttons."""
        return self.horizon, self.span, self.clock

    @property
    def selects(self) -> tuple[Select, ...]:
        """Return the drop-down lists."""
        return self.symbol, self.model

    def show(self, choice: Choice, series: Sequence[BarSeries], models: Sequence[str]) -> None:
        """Show the choice among the series and models that there are."""
        interval = choice.interval or self.interval
        known = series or ((choice.series,) if choice.series else ())
        options: list[str | tuple[Any, str]] = [(f"{one.symbol} {one.interval}", self._name(one)) for one in known]
        names: list[str | tuple[Any, str]] = [*(models or ((choice.model,) if choice.model else ()))]
        self.symbol.options, self.model.options = options, names
        self.symbol.disabled, self.model.disabled = not options, not names
        self.symbol.value = f"{choice.symbol} {choice.interval}" if choice.series in known else ""
        self.model.value = choice.model or ""
        self.horizon.labels = [span_label(horizon, interval) for horizon in HORIZONS]
        self.horizon.active = HORIZONS.index(choice.horizon)
        self.span.labels = [span_label(bars, interval) for bars in SPANS]
        self.span.active = SPANS.index(choice.span)
        self.clock.active = CLOCKS.index(choice.clock)

    def chosen(self, choice: Choice) -> Choice:
        """Return the choice with what the viewer has set."""
        result = replace(
            choice,
            model=self.model.value or choice.model,
            horizon=HORIZONS[self.horizon.active or 0],
            span=SPANS[self.span.active or 0],
            clock=CLOCKS[self.clock.active or 0],
        )
        if self.symbol.value:
            symbol, interval = self.symbol.value.split(" ")
            result = replace(result, symbol=symbol, interval=interval)
        return result

    def _name(self, series: BarSeries) -> str:
        return series.symbol if series.interval == self.interval else f"{series.symbol} ({series.interval})"
