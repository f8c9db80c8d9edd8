"""What can be switched off in the legends: its name in the address, and what the legend calls it."""

from dashboard.live.event_kinds import KINDS
from dashboard.live.fan import BANDS

MEDIAN, HIT, MISSED = "median", "hit", "missed"
PRESS = "layer:"
"""What the name of a button in a legend begins with."""
OF_MODEL = "model:"
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
    return layer in (*FAN, HIT, MISSED, *EVENTS.values()) or layer.startswith(OF_MODEL)
