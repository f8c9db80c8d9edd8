"""Whether a table's numbers have a decimal comma, so that a point parts thousands in all of its columns."""

import re

from sources.errors import UnknownFormatError
from sources.tables.layout import BAR_FIELDS, Head, Layout
from sources.tables.numbers import style_of

_FIELDS = (*BAR_FIELDS, "price", "amount", "vwap")
_THREE = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_PLAIN = re.compile(r"[0-9]*\.?[0-9]+")


def has_decimal_comma(head: Head, layout: Layout) -> bool:
    """Return whether a number in the first rows proves the decimal comma and none the decimal point.

    Raises UnknownFormatError if semicolons part the columns and all points stand before three digits.
    """
    places = {head.names.index(layout.columns[name]) for name in _FIELDS if name in layout.columns}
    cells = [cell.strip() for place in places for cell in head.column(place) if cell]
    style = style_of(cells)
    if style is not None:
        return style == "continental"
    pointed = [cell for cell in cells if "." in cell and _PLAIN.fullmatch(cell)]
    if head.delimiter == ";" and pointed and all(_THREE.fullmatch(cell) for cell in pointed):
        raise UnknownFormatError(
            f"{head.name}: {pointed[0]} can be read in two ways, with a decimal point and as thousands, and no other "
            "number tells: save it with commas between the columns, or without points"
        )
    return False
