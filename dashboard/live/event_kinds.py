"""What happens beside the market and is marked on the chart: the kinds, their shapes and their colours."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EventKind:
    """A kind of events: its name in the address, what the legend calls it, Bokeh's marker, and that as an SVG path in a
    square of 10."""

    name: str
    label: str
    marker: str
    path: str
    light: str
    dark: str
    lined: bool

    def colour(self, dark: bool) -> str:
        """Return the colour in the theme."""
        return self.dark if dark else self.light


# In the order of their lanes, from the top. Colours and shapes both tell them apart. What is `lined` has a line through
# the prices: a version begins to forecast there, or the market is found to have changed.
KINDS = (
    EventKind(
        name="promotion",
        label="promotions",
        marker="triangle",
        path="M5 1L9.3 9H.7Z",
        light="#0072b2",
        dark="#4fa8ec",
        lined=True,
    ),
    EventKind(
        name="retrain",
        label="retrains",
        marker="diamond",
        path="M5 .4L8.6 5L5 9.6L1.4 5Z",
        light="#232a66",
        dark="#c4f0f0",
        lined=True,
    ),
    EventKind(
        name="drift",
        label="drift",
        marker="square",
        path="M1.2 1.2H8.8V8.8H1.2Z",
        light="#d96b00",
        dark="#f5923a",
        lined=True,
    ),
    EventKind(
        name="gap",
        label="gaps",
        marker="hex",
        path="M2.6 1H7.4L9.8 5L7.4 9H2.6L.2 5Z",
        light="#7d8894",
        dark="#8b97a4",
        lined=False,
    ),
    EventKind(
        name="alert",
        label="alerts",
        marker="circle",
        path="M5 1A4 4 0 1 1 5 9A4 4 0 1 1 5 1Z",
        light="#992600",
        dark="#c8553a",
        lined=False,
    ),
)
ROLLBACK = "inverted_triangle"
"""The marker of a promotion that took a version back."""
