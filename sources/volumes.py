"""Which of two volumes is in the base currency: the quote volume over it is a price between the bar's low and high."""

from dataclasses import replace

from sources.cells import number
from sources.layout import Head, Layout

SLACK = 1.05
"""A vendor's rounding: by so much the price that two volumes imply may be beyond the bar's low and high."""
SWAPPED = "the two volumes are taken the other way round than their names say: only so is a price between low and high"


def with_volumes(head: Head, layout: Layout) -> Layout:
    """Return the layout, with its volumes exchanged where the first rows prove that; pure."""
    if layout.kind != "bar" or not layout.columns.keys() >= {"volume", "quote_volume"}:
        return layout
    names = ("volume", "quote_volume", "low", "high")
    places = [head.names.index(layout.columns[name]) for name in names]
    named = turned = 0
    for row in head.rows:
        cells = [number(row[place]) if place < len(row) else None for place in places]
        if any(cell is None or cell <= 0 for cell in cells):
            continue
        volume, quote, low, high = (cell or 0.0 for cell in cells)
        named += low / SLACK <= quote / volume <= high * SLACK
        turned += low / SLACK <= volume / quote <= high * SLACK
    if named or not turned:
        return layout
    columns = dict(layout.columns)
    columns["volume"], columns["quote_volume"] = columns["quote_volume"], columns["volume"]
    return replace(layout, columns=columns, remarks=(*layout.remarks, SWAPPED))
