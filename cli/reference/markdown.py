"""Parts of a Markdown page: tables, and prose whose code stays as it is."""

import re
from collections.abc import Iterable, Sequence
from inspect import cleandoc

_CODE = re.compile(r"(``.+?``|`[^`]+`)")


def prose(text: str) -> str:
    """Return a text without what Markdown would take for a sign, and its code between single backticks.

    >>> prose("a BTC* pattern | `a*b`, ``ALL``")
    'a BTC\\\\* pattern \\\\| `a*b`, `ALL`'
    """
    parts = _CODE.split(text)
    return "".join(_code(part) if place % 2 else _plain(part) for place, part in enumerate(parts))


def paragraphs(text: str) -> str:
    """Return the paragraphs of a docstring, a line each."""
    return "\n\n".join(prose(" ".join(part.split())) for part in cleandoc(text).split("\n\n"))


def code(text: str) -> str:
    """Return a text as code, in a cell too."""
    return f"`{text}`".replace("|", "\\|") if text else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def head(title: str, sources: str) -> str:
    """Return the beginning of a page."""
    return f"# {title}\n\nGenerated from {sources} by `python -m cli.reference`; a test compares.\n"


def _code(part: str) -> str:
    return code(part.strip("`"))


def _plain(part: str) -> str:
    return re.sub(r"([|*<\[\]])", r"\\\1", part)
