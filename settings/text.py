"""Text from outside, fit for a terminal and a log: nothing in it moves the cursor, or changes a title or a line."""

import re

_RAW = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # controls, ESC (which begins ANSI and OSC sequences) and their one-byte forms
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line and paragraph separators; marks that turn the writing around
    "\ud800-\udfff\ufeff\ufff9-\ufffb]"  # halves of a character, a byte order mark, annotations
)


def escaped(text: str) -> str:
    r"""Return a text as one line, with each such character as JSON writes it. A line of JSON means the same afterwards.

    >>> escaped("\x1b]0;title\x07\nBTC\u202eTC")
    '\\u001b]0;title\\u0007\\nBTC\\u202eTC'
    """
    return _RAW.sub(lambda found: "\\n" if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)
