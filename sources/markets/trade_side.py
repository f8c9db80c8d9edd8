"""The notations of a trade's side: words, and numbers whose meaning differs between writers."""

from sources.tables.cells import number
from sources.tables.layout import Head

BOUGHT = frozenset({"buy", "b", "bid", "buyer"})
SOLD = frozenset({"sell", "s", "ask", "a", "seller"})
SIGNS = {"1": 1, "-1": 2, "1.0": 1, "-1.0": 2}
"""What a side that is a sign says, as a place in `sources.reading.parse.SIDES`."""


def with_side(head: Head, columns: dict[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the columns of trades with the interpretation of their side, and remarks on it.

    Gate's 2 is a purchase, that of FIX a sale, and a 1 beside a 0 may be either.
    """
    column = columns.get("side")
    cells = {cell.strip().lower() for cell in head.column(head.names.index(column)) if cell} if column else set()
    if not cells or cells & (BOUGHT | SOLD):
        return columns, ()
    rest = {name: at for name, at in columns.items() if name != "side"}
    if {number(cell) for cell in cells} == {1.0, -1.0}:
        return rest | {"sign": str(column)}, ()
    shown = " and ".join(repr(cell[:20]) for cell in sorted(cells)[:2])
    return rest, (f"side: unknown, for column {column!r} has {shown}, from which the buyer is unknown",)
