"""What can be switched off in the legends: its name in the address, and what the legend calls it."""

from dashboard.live.event_kinds import KINDS
from dashboard.live.fan import BANDS
from dashboard.live.ghost_kinds import GHOSTS

MEDIAN, HIT, MISSED = "median", "hit", "missed"
PRESS = "layer:"
"""What the name of a button in a legend begins with."""
OF_MODEL = "model:"
GHOST_LAYERS = {ghost.name: f"ghost:{ghost.name}" for ghost in GHOSTS}
OPTIONAL = frozenset(GHOST_LAYERS.values())
"""The layers that are off until they are switched on."""
EVENTS = {kind.name: f"event:{kind.name}" for kind in KINDS}
FAN = {lower: label for label, lower, _ in BANDS} | {MEDIAN: "median"}
"""The layers of the fan by the lower quantile of a band, and the median."""


def of_model(model: str) -> str:
    """Return the layer of a model's lines in the plots of scores."""
    return f"{OF_MODEL}{model}"


def of_event(kind: str) -> str:
    """Return the layer of a kind of events."""
    return EVENTS[kind]


def known(layer: str) -> bool:
    """Return whether there can be such a layer."""
    return layer in (*FAN, HIT, MISSED, *EVENTS.values(), *OPTIONAL) or layer.startswith(OF_MODEL)
