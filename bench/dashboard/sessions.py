"""Opens pages as a browser does, uses every widget on them, and closes them; nothing is drawn."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench.dashboard.wire import Model, WireSession, opened
from dashboard.site import PAGES, SUBPAGES

PRESS = re.compile(r'data-press="([^"]*)"')
MOST_PRESSED, MOST_OPTIONS = 6, 3
"""Of the buttons in texts, and of a list's options, so many are chosen: the others do the same with another name."""
Use = tuple[str, object]
"""A property and what it is set to."""
CLICK: Use = ("click", None)


def names() -> list[str]:
    """Return the pages' names."""
    return [page.name for page in (*PAGES, *SUBPAGES)]


def use(address: str, page: str) -> int:
    """Open a page, use every widget, and close it; return how often one was used."""
    return asyncio.run(_use(address, page))


async def _use(address: str, page: str) -> int:
    async with opened(address, page) as session:
        return await touch(session)


async def touch(session: WireSession) -> int:
    """Use every widget of a page; return how often one was used."""
    models, used = await session.models(), 0
    for model in models:
        for name, value in uses(model, models):
            if (name, value) == CLICK:
                await session.click(model)
            else:
                await session.set(model, name, value)
            await session.settle()
            used += 1
    return used


def uses(model: Model, models: Sequence[Model]) -> Iterator[Use]:
    """Yield all that a viewer may set a model to, the first of it again at the end."""
    attributes = model["attributes"]
    match model["name"]:
        case "RadioButtonGroup":
            yield from (("active", place) for place in (*range(len(attributes.get("labels", []))), 0))
        case "Select":
            yield from (("value", option) for option in _options(attributes))
        case "MultiChoice":
            yield from (("value", [option]) for option in _options(attributes))
        case "TextInput":
            yield from (("value", text) for text in ("rate < 0.05", ""))
        case "Spinner":
            yield from (("value", number) for number in (2, 1))
        case "Button":
            yield CLICK
        case name if name.endswith("Bridge"):
            yield from (("pressed", press) for press in _presses(models))
            yield from (("visited", "?theme=dark"), ("system", "dark"), ("zone", "Europe/Berlin"))
        case "Range1d":
            yield from _moves(attributes)


def _options(attributes: dict[str, Any]) -> list[str]:
    """Return some options of a list."""
    return [one if isinstance(one, str) else one[0] for one in attributes.get("options", [])[:MOST_OPTIONS]]


def _presses(models: Sequence[Model]) -> list[str]:
    """Return what the buttons in the texts say when they are pressed."""
    texts = [model["attributes"].get("text", "") for model in models if model["name"] == "Div"]
    return list(dict.fromkeys(press for text in texts for press in PRESS.findall(text)))[:MOST_PRESSED]


def _moves(attributes: dict[str, Any]) -> Iterator[Use]:
    """Look elsewhere."""
    start, end = attributes.get("start"), attributes.get("end")
    if isinstance(start, int | float) and isinstance(end, int | float):
        yield "start", start - (end - start) / 2
        yield "end", end - (end - start) / 2
