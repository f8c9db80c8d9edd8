"""What a writing action is: its name, its request, and the function that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct

from settings import Settings


class ActionRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """What every request has: the reason that the viewer typed."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]


class ActionError(Exception):
    """The action cannot be done: one line that says why, and what to do."""


@dataclass(frozen=True)
class Action:
    """An action at ``/actions/NAME``; `run` blocks, returns its result in one line, and raises ActionError."""

    name: str
    request: type[ActionRequest]
    run: Callable[[Settings, Any], str]
    """Any: it takes what `request` is."""
