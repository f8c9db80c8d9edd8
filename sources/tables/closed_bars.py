"""Columns that mark closed bars, and the words in them."""

from collections.abc import Sequence

from sources.errors import UnknownFormatError
from sources.tables.layout import Head, Layout

OVER = (
    *("confirm", "confirmed", "is_closed", "isclosed", "closed", "is_final", "isfinal", "final", "complete"),
    *("is_complete", "iscomplete", "completed", "finished", "is_finished", "kline_closed", "closed_candle"),
    *("candle_closed", "is_kline_closed", "window_closed", "windowclosed"),
)
"""Names of a column that is true where the bar is over, in lower case."""
GOES_ON = ("is_open", "isopen", "in_progress", "inprogress", "is_live", "unfinished", "incomplete")
"""Names of columns that are true for an open bar."""
_KLINE = frozenset({"t", "o", "h", "l", "c"})
"""Columns beside which Binance's x is such a column."""
_YES = frozenset({"1", "true", "1.0", "t", "yes", "y"})
_NO = frozenset({"0", "false", "0.0", "f", "no", "n"})
_STATES = {"open": True, "closed": False, "close": False, "final": False, "finished": False, "complete": False}
"""Whether a state means that the bar is open."""


def mark_of(head: Head) -> dict[str, str]:
    """Return the column that says whether a bar is over by the fields `finished` or `goes_on`, nothing without one."""
    names = {name.strip().lower(): name for name in head.header or ()}
    status = names.get("status") or names.get("state")
    cells = [] if status is None else head.column(head.names.index(status))
    if status is not None and any((cell or "").strip().lower() in ("open", "closed") for cell in cells):
        return {"finished": status}
    if "x" in names and names.keys() >= _KLINE:
        return {"finished": names["x"]}
    return {}


def goes_on(cell: str, *, turned: bool) -> bool | None:
    """Return whether a cell means that its bar is open, None if it is undetermined; `turned` where true means that.

    >>> goes_on("False", turned=False), goes_on("1", turned=True), goes_on("?", turned=False)
    (True, True, None)
    """
    word = cell.strip().lower()
    if word in _STATES:
        return _STATES[word]
    return None if word not in _YES | _NO else (word in _YES) is turned


def check_marks(head: Head, layout: Layout) -> None:
    """Raise UnknownFormatError if the first rows have a word of which it is not known whether the bar is over."""
    for name in ("finished", "goes_on"):
        column = layout.columns.get(name)
        cells: Sequence[str | None] = () if column is None else head.column(head.names.index(column))
        for cell in cells:
            if cell and goes_on(cell, turned=name == "goes_on") is None:
                raise UnknownFormatError(
                    f"{head.name}: column {column!r} has {cell!r}, which does not say whether a bar is over: write "
                    "true or false, or call it another name"
                )
