"""A button of a page that calls a writing action, after a dialog that says what will happen and asks for a reason."""

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import msgspec
from msgspec import Struct


class Field(Struct, kw_only=True, omit_defaults=True):
    """What the dialog asks besides the reason: it becomes a field of the action's request.

    `kind` number sends a number, None if it is empty; lines is a large field of text.
    """

    name: str
    label: str
    kind: Literal["text", "lines", "number", "choice"] = "text"
    value: str = ""
    choices: Sequence[str] = ()
    required: bool = False


def button(
    action: str,
    label: str,
    request: dict[str, Any],
    *,
    title: str,
    text: str,
    fields: Sequence[Field] = (),
    danger: bool = False,
) -> str:
    """Return a button's HTML; all that is passed is plain text, and is escaped here.

    `title` and `text` are the dialog's: what will happen, and on which evidence. Line breaks in `text` are kept.

    >>> button("mute", "Mute", {"rule": "<b>"}, title="Mute", text="No more of it.")[:75]
    '<button type="button" class="action" data-action="mute" data-request="{&quo'
    """
    data = {
        "action": action,
        "request": msgspec.json.encode(request).decode(),
        "title": title,
        "text": text,
        "fields": msgspec.json.encode(list(fields)).decode() if fields else "",
    }
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items() if value)
    kind = "action danger" if danger else "action"
    return f'<button type="button" class="{kind}" {attributes}>{escape(label)}</button>'
