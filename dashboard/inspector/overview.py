"""What a version was trained on, and how well it did: all from the files beside its artifact."""

from collections.abc import Sequence
from typing import Any

from bokeh.models.layouts import LayoutDOM
from bokeh.models.sources import ColumnDataSource

from dashboard.html import heading, line, title
from dashboard.inspector import page_text
from dashboard.inspector.cards import card, clipped, plot
from dashboard.inspector.catalogue import Version
from dashboard.inspector.page_text import facts, sentence
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.side_plot import hover
from models.importance import Importance

TOP = 20
ROW_PX = 17
DASHES = (4, 3)


def overview(version: Version, unit: str | None, palette: Palette) -> list[LayoutDOM]:
    """Return the cards; `unit` is the curve that is chosen, where there are several."""
    known = version.provenance is not None
    lacking = "" if known else "No provenance was stored with this version: a training by foretick train writes none."
    own = page_text.parameters(version)
    scored = version.skill is not None and version.skill.mean is not None
    scores = (
        facts({"pinball skill against naive": page_text.skill(version.skill)})
        + sentence(
            "The walk forward of the pipeline run that made this version: 1 less its loss over the naive forecast's."
        )
        if scored
        else sentence("This version was not walked forward: only a pipeline run does that.")
    )
    made: list[LayoutDOM] = [
        card(
            title("Trained on"),
            sentence(lacking),
            facts(page_text.origin(version)),
            sentence(version.problem, "problem"),
        ),
        card(
            title("Scores at training"),
            scores,
            title("Parameters", "those that are not the defaults"),
            facts(own) if own else sentence("None are known: the defaults." if known else "Not stored."),
        ),
    ]
    if version.importance is not None:
        made.append(importance(version.importance, palette))
    else:
        text = "This model ranks no inputs."
        made.append(card(title("Importance of the inputs"), sentence(text)))
    made.append(curve(version, unit, palette))
    return made


def importance(value: Importance, palette: Palette) -> LayoutDOM:
    """Return the inputs with the largest shares."""
    names, shares = list(value.shares)[:TOP][::-1], list(value.shares.values())[:TOP][::-1]
    labels = _labels(names)
    made = plot("importance", ROW_PX * len(names) + 44, y_range=labels, x_range=(0, 1.05 * max(shares)))
    data: dict[str, Any] = {"label": labels, "name": names, "share": shares}
    bars = made.hbar(y="label", right="share", height=0.72, source=ColumnDataSource(data), color=palette.hit)
    sheet(made, bars.data_source, {"name": "input", "share": "share [%]"})
    made.ygrid.visible = False
    made.xaxis.axis_label = "share, %"
    hover(made, [bars], "@name", {"share": "@share{0.00} %"})
    rest = len(value.shares) - len(names)
    unit = f"of {value.whole}" + (f"; {rest} smaller ones are left out" if rest > 0 else "")
    return card(title("Importance of the inputs", unit), made)


def curve(version: Version, unit: str | None, palette: Palette) -> LayoutDOM:
    """Return the losses by epoch or round."""
    if version.curve is None:
        return card(
            title("Loss in training"),
            sentence("No curve is stored: this model is not fitted in rounds, or its training was not recorded."),
        )
    points = version.curve.points
    chosen = unit if unit in points else next(iter(points))
    steps, taught, held_out = zip(*points[chosen], strict=True)
    made = plot("curve", 260)
    data: dict[str, Any] = {"step": steps, "taught": taught, "held_out": held_out}
    lines = [
        made.line(
            "step", "taught", source=ColumnDataSource(data), color=palette.muted, line_width=1.8, line_dash=list(DASHES)
        ),
        made.line("step", "held_out", source=ColumnDataSource(data), color=palette.hit, line_width=1.8),
        made.scatter(
            "step", "held_out", source=ColumnDataSource(data), color=palette.hit, size=5 if len(steps) < 20 else 0
        ),
    ]
    unit_of_steps = chosen.partition(" ")[0]
    made.xaxis.axis_label = unit_of_steps
    columns = {"step": unit_of_steps, "taught": "loss in training", "held_out": "loss held out"}
    sheet(made, ColumnDataSource(data), columns)
    hover(
        made,
        lines[1:2],
        "@step",
        {"held out": "@held_out{0.000000}", "in training": "@taught{0.000000}"},
        mode="vline",
    )
    legend = line(palette.hit, (), "held out"), line(palette.muted, DASHES, "in training")
    return card(heading("Loss in training", chosen, legend), made)


def _labels(names: Sequence[str]) -> list[str]:
    """Return short names, each only once."""
    short = [clipped(name, 28) for name in names]
    return [name if short.count(name) == 1 else f"{place}: {name}" for place, name in enumerate(short, 1)]
