"""A plot of the report as a picture of its own."""

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

from evaluation.plots.colours import css, style
from evaluation.plots.svg import tag, text

STYLE = Path(__file__).parents[1] / "report.css"
FONT = "svg { font-family: Inter, sans-serif; } svg text.heading { font-size: 13px; font-weight: 500; }"
HEAD, KEY, MARGIN = 30, 22, 10
"""Pixels for the heading above the plot, for a line of the legend below it, and around both."""
PLOT = re.compile(r'<figure><figcaption>(.*?)</figcaption><svg viewBox="0 0 (\d+) (\d+)"[^>]*>(.*)</svg></figure>')
LETTER = 8
"""Pixels of a letter of the legend, at most."""


def picture(figure: str, models: Sequence[str], coloured: Sequence[str] = ()) -> str:
    """Return what `Frame.figure` drew of the models as an SVG file: with its heading, its colours, and a legend.

    The legend has the models in `coloured`.
    """
    match = PLOT.fullmatch(figure)
    if match is None:
        raise ValueError("not a plot with a heading")
    heading, width, height, drawn = unescape(match[1]), int(match[2]), int(match[3]), match[4]
    parts = [tag("g", drawn, transform=f"translate(0 {HEAD})"), text(heading, MARGIN, 20, "heading")]
    x, y = float(MARGIN), float(HEAD + height + 16)
    for model in coloured:
        if x > MARGIN and x + LETTER * (len(model) + 4) > width:
            x, y = float(MARGIN), y + KEY
        parts.append(tag("rect", x=x, y=y - 9, width=10, height=10, class_="bar", style=style(model)))
        parts.append(text(model, x + 15, y, "tick"))
        x += LETTER * (len(model) + 4)
    whole = int(y) + MARGIN if coloured else HEAD + height
    size = f'viewBox="0 0 {width} {whole}" width="{width}" height="{whole}"'
    paper = tag("rect", width="100%", height="100%", style="fill:var(--card)")
    sheet = STYLE.read_text() + FONT + css(models)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{sheet}</style>{paper}{"".join(parts)}</svg>\n'
