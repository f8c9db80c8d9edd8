"""What each model counted in a combination: over time, and by regime."""

from typing import Any

import numpy as np
from bokeh.models.layouts import LayoutDOM
from bokeh.models.ranges import FactorRange
from bokeh.models.sources import ColumnDataSource

from dashboard.html import Html, moment, title
from dashboard.inspector.cards import card, plot
from dashboard.inspector.page_text import sentence, table
from dashboard.inspector.weights_reader import Database
from dashboard.number_format import count, percent, state_name
from dashboard.palette import Palette, model_colours, model_dash
from dashboard.sheets import Sheet, offer, sheet
from dashboard.side_plot import hover
from dashboard.time_axis import label_times
from dashboard.time_axis import moment as moment_tip


def over_time(database: Database, unit: str, palette: Palette) -> LayoutDOM:
    """Return a line for each model's mean weight in steps."""
    models = sorted(database.weights, key=lambda model: -np.nanmean(database.weights[model]))
    colours = model_colours(models, palette)
    made = plot("weights_over_time", 320, x_axis_type="datetime")
    sources = []
    for model in models:
        line = made.line(
            database.times,
            database.weights[model],
            color=colours[model],
            line_width=1.8,
            line_dash=list(model_dash(model)),
        )
        sources.append((model, line.data_source))
        rows = {"up to": "@x{custom}", "weight": "@y{0.000}"}
        hover(made, [line], model, rows, formatters={"@x": moment_tip()}, line_policy="nearest")
    offer(made, Sheet(by="model", columns={"x": "up to [UTC]", "y": "mean weight"}, sources=sources))
    made.yaxis.axis_label = "weight"
    label_times(made)
    how = Html(f"Mean weights in steps, over the week up to {moment(database.newest)}.")
    return card(
        title("Weights over time", unit, {model: colours[model] for model in models}, "line"),
        sentence(how),
        made,
        wide=True,
    )


def by_regime(database: Database, unit: str, palette: Palette) -> LayoutDOM:
    """Return each regime's mean weights as grouped bars, and in figures."""
    regimes = sorted(database.regimes)
    models = sorted(database.weights, key=lambda model: -np.nanmean(database.weights[model]))
    colours = model_colours(models, palette)
    names = {regime: state_name(regime) or "unknown" for regime in regimes}
    factors: list[Any] = [(names[regime].replace(" ", "\n"), model) for regime in regimes for model in models]
    weights = [database.regimes[regime].get(model, float("nan")) for regime in regimes for model in models]
    made = plot("weights_by_regime", 280, x_range=FactorRange(factors=factors))
    data: dict[str, Any] = {"x": factors, "weight": weights, "model": [model for _, model in factors]}
    data["regime"] = [names[regime] for regime in regimes for _ in models]
    data["colour"] = [colours[model] for _, model in factors]
    bars = made.vbar(x="x", top="weight", width=0.8, source=ColumnDataSource(data), color="colour")
    sheet(made, bars.data_source, {"regime": "regime", "model": "model", "weight": "mean weight"})
    made.xgrid.visible = False
    made.xaxis.major_label_text_font_size = "0px"
    made.yaxis.axis_label = "mean weight"
    hover(made, [bars], "@model", {"regime": "@x", "weight": "@weight{0.000}"})
    rows = [
        [
            names[regime],
            count(database.counts[regime]),
            *(percent(database.regimes[regime].get(model), 1) for model in models),
        ]
        for regime in regimes
    ]
    legend = {model: colours[model] for model in models}
    return card(
        title("Weights by regime", unit, legend), made, table(["regime", "forecasts", *models], rows), wide=True
    )
