"""The cursor of the next page: the key of the last row of the previous page, as opaque text."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from types import GenericAlias
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from topics.limits import END_OF_TIME

Key = tuple[int | str, ...]
Time = Annotated[int, Meta(ge=0, lt=END_OF_TIME)]
Number = Annotated[int, Meta(ge=0, lt=2**31)]
Text = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*$")]


class CursorError(ValueError):
    """A text that is no cursor of that table."""


def encode(table: str, order: str, key: Sequence[Any]) -> str:
    """Return the cursor after a row of that key, in that order."""
    return urlsafe_b64encode(msgspec.json.encode((table, order, tuple(key)))).rstrip(b"=").decode()


def decode(text: str, table: str, order: str, kinds: tuple[Any, ...]) -> Key:
    """Return the key in a cursor, whose parts are of these types.

    Raises CursorError if the text is no cursor of that table and order.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        wanted: Any = GenericAlias(tuple, (str, str, GenericAlias(tuple, kinds)))
        of_table, of_order, key = msgspec.json.decode(urlsafe_b64decode(padded), type=wanted)
    except (ValueError, msgspec.MsgspecError):
        raise CursorError(f"the cursor is not {table}'s: give `next` of the previous answer, unchanged") from None
    if (of_table, of_order) != (table, order):
        raise CursorError(f"the cursor is of {of_table} in order {of_order}, not of {table} in order {order}")
    return tuple(key)
