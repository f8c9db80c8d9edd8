"""A plot of the report as a picture of its own."""

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

from evaluation.plots.svg import tag, text

STYLE = Path(__file__).parents[1] / "report.css"
FONT = "svg { font-family: Inter, sans-serif; } svg text.heading { font-size: 13px; font-weight: 500; }"
HEAD, KEY, MARGIN = 30, 22, 10
"""Pixels for the heading above the plot, for a line of the legend below it, and around both."""
PLOT = re.compile(r'<figure><figcaption>(.*?)</figcaption><svg viewBox="0 0 (\d+) (\d+)"[^>]*>(.*)</svg></figure>')
LETTER = 8
"""Pixels of a letter of the legend, at most."""


def picture(figure: str, coloured: Sequence[str] = ()) -> str:
    """Return what `Frame.figure` drew as an SVG file: with its heading, its colours, and which model has which."""
    found = PLOT.fullmatch(figure)
    if found is None:
        raise ValueError("not a plot with a heading")
    heading, width, height, drawn = unescape(found[1]), int(found[2]), int(found[3]), found[4]
    parts = [tag("g", drawn, transform=f"translate(0 {HEAD})"), text(heading, MARGIN, 20, "heading")]
    x, y = float(MARGIN), float(HEAD + height + 16)
    for place, model in enumerate(coloured):
        if x > MARGIN and x + LETTER * (len(model) + 4) > width:
            x, y = float(MARGIN), y + KEY
        parts.append(tag("rect", x=x, y=y - 9, width=10, height=10, style=f"fill:var(--m{place})"))
        parts.append(text(model, x + 15, y, "tick"))
        x += LETTER * (len(model) + 4)
    whole = int(y) + MARGIN if coloured else HEAD + height
    size = f'viewBox="0 0 {width} {whole}" width="{width}" height="{whole}"'
    paper = tag("rect", width="100%", height="100%", style="fill:var(--card)")
    style = STYLE.read_text() + FONT
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{style}</style>{paper}{"".join(parts)}</svg>\n'
