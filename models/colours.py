"""The colour of each model, wherever it is drawn: the same in the evaluation's report and on the dashboard."""

from collections.abc import Iterable

from models.registry.zoo import COMBINERS, ZOO, Colour

COLOURS = {entry.name: entry.colour for table in (ZOO, COMBINERS) for entry in table.entries.values()}


def colours(models: Iterable[str]) -> dict[str, Colour]:
    """Return the colour of each model; one that is not in the table has an unused one, if there is one."""
    names = list(dict.fromkeys(models))
    values = {name: COLOURS[name] for name in names if name in COLOURS}
    free = [colour for name, colour in COLOURS.items() if name not in values] or list(COLOURS.values())
    unknown = sorted(set(names) - set(values))
    return values | {name: free[place % len(free)] for place, name in enumerate(unknown)}
