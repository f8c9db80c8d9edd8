"""Parses numbers as written by users, spreadsheets and venues, if their meaning is certain.

A comma separates thousands or decimals; a cell decides which (`42,000.00`, `1.234,5`, `0,25`), or another of its
column.
"""

import re
from collections.abc import Iterable
from typing import Literal

Style = Literal["english", "continental"]

SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}
_SIGNS = "$€£¥₿"
_BARE = re.compile(
    rf"([-+]?)\s*[{_SIGNS}]?\s*([-+]?)\s*([0-9][0-9.,' \u00a0\u202f]*|[.,][0-9]+)\s*([KMB]?)\s*[{_SIGNS}]?"
)
_PLAIN = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")
_FORMS: tuple[tuple[re.Pattern[str], Style], ...] = (
    (re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]*|[0-9]{1,3}(,[0-9]{3}){2,}"), "english"),
    (re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]*|[0-9]{1,3}(\.[0-9]{3}){2,}"), "continental"),
    (re.compile(r"[0-9]*,([0-9]{1,2}|[0-9]{4,})|0,[0-9]+|[0-9]{4,},[0-9]{3}"), "continental"),
)
_EITHER = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_SPACED = re.compile(r"[0-9]{1,3}(['\u00a0\u202f ][0-9]{3})+([.,][0-9]+)?")


def style_of(cells: Iterable[str]) -> Style | None:
    """Return how a column parts its numbers, None if no cell tells. Cells that contradict each other tell nothing.

    >>> style_of(["42,000", "42,000.50"]), style_of(["1,5", "2,345"]), style_of(["42,000"])
    ('english', 'continental', None)
    """
    parted = (cell for cell in cells if "," in cell or cell.count(".") > 1)
    results = {style for cell in parted if (style := _style(_parts(cell)[1])) is not None}
    return results.pop() if len(results) == 1 else None


def number_of(cell: str, style: Style | None = None) -> float | None:
    """Return the number that a cell certainly means, else None; `style` is that of its column.

    >>> number_of("$42,000.00"), number_of("1.5K"), number_of("42,000"), number_of("42,000", "english")
    (42000.0, 1500.0, None, 42000.0)
    """
    if _PLAIN.fullmatch(cell):  # nearly all
        return float(cell)
    sign, digits, factor = _parts(cell)
    if not digits:
        return _float(cell)
    own = _style(digits) or (style if _EITHER.fullmatch(digits) else None)
    if _SPACED.fullmatch(digits):
        digits = re.sub(r"['\u00a0\u202f ]", "", digits).replace(",", ".")
    elif own == "english":
        digits = digits.replace(",", "")
    elif own == "continental":
        digits = digits.replace(".", "").replace(",", ".")
    return sign * factor * float(digits) if _PLAIN.fullmatch(digits) else None


def _parts(cell: str) -> tuple[float, str, float]:
    """Return the sign, the digits with what parts them, and the factor of a cell; no digits where it is no such."""
    match = _BARE.fullmatch(cell.strip().upper())
    if match is None or (match[1] and match[2]):
        return 1.0, "", 1.0
    return -1.0 if "-" in (match[1], match[2]) else 1.0, match[3].strip(), SUFFIXES[match[4]]


def _style(digits: str) -> Style | None:
    return next((style for form, style in _FORMS if form.fullmatch(digits)), None)


def _float(cell: str) -> float | None:
    """Return what is written with an exponent; infinity and NaN are no numbers."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
