"""Escapes external text for a terminal and a log: it cannot move the cursor, or change a title or a line."""

import re

_RAW = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # control characters: ESC begins ANSI and OSC sequences, C1 are its one-byte forms
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line and paragraph separators; text direction marks
    "\ud800-\udfff\ufeff\ufff9-\ufffb]"  # surrogates, a byte order mark, annotations
)


def escaped(text: str) -> str:
    r"""Return a text as one line, with each such character escaped as in JSON. The meaning of a line of JSON is
    unchanged.

    >>> escaped("\x1b]0;title\x07\nBTC\u202eTC")
    '\\u001b]0;title\\u0007\\nBTC\\u202eTC'
    """
    return _RAW.sub(lambda match: "\\n" if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)
