"""The flow as a picture (SVG): where records come from, the topics that they are on, what folds them, who reads them.

It refers to nothing outside itself. Boxes have colours of their own and lines a grey that stands out from white and
from black, so that the picture reads on a light and on a dark page, whichever of both the page has.
"""

from html import escape
from typing import NamedTuple

from topics.catalog import TOPICS

WIDTH, HEIGHT = 940, 520
ROUND, LINE = 6, 15
COLOURS = {
    "outside": ("#e8e8e8", "#555555"),
    "topic": ("#dcebfa", "#1f5f99"),
    "fold": ("#e3f2df", "#3a7a2c"),
    "store": ("#fbeed5", "#8a5a00"),
}
TEXT, ARROW = "#1a1a1a", "#7d7d7d"


class Box(NamedTuple):
    """A box: its middle, its width, its kind, and its lines of text."""

    x: int
    y: int
    width: int
    kind: str
    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        """The height, by the number of lines."""
        return 14 + LINE * len(self.lines)


def _topic(x: int, y: int, name: str) -> Box:
    if name not in {topic.name for topic in TOPICS}:
        raise ValueError(f"there is no topic {name}")
    return Box(x, y, 110, "topic", (name,))


BOXES = {
    "venue": Box(80, 62, 130, "outside", ("a venue", "foretick live")),
    "files": Box(80, 132, 130, "outside", ("files", "foretick replay")),
    "client": Box(80, 200, 130, "outside", ("any program:", "ticks, bars, …")),
    "ticks": _topic(230, 95, "ticks"),
    "gaps": _topic(230, 30, "gaps"),
    "bars": _topic(230, 200, "bars"),
    "make_bars": Box(230, 148, 110, "fold", ("fold: bars",)),
    "indicators": Box(390, 200, 120, "fold", ("fold: indicators,", "regimes")),
    "features": _topic(390, 130, "features"),
    "regimes": _topic(390, 265, "regimes"),
    "forecast": Box(545, 130, 130, "fold", ("fold: models,", "calibration")),
    "predictions": _topic(545, 200, "predictions"),
    "score": Box(545, 265, 130, "fold", ("fold: outcomes",)),
    "outcomes": _topic(545, 325, "outcomes"),
    "persist": Box(715, 200, 110, "fold", ("persist",)),
    "database": Box(860, 165, 130, "store", ("TimescaleDB",)),
    "redis": Box(860, 235, 130, "store", ("Redis (newest)",)),
    "pages": Box(860, 90, 130, "outside", ("dashboard, API,", "SQL")),
    "rules": Box(715, 300, 110, "fold", ("alert rules",)),
    "alerts": _topic(860, 300, "alerts"),
    "receivers": Box(860, 365, 130, "outside", ("webhook, mail,", "chat")),
    "watch": Box(545, 390, 130, "fold", ("watch: skill, drift,", "sequential test")),
    "drift": _topic(715, 390, "drift"),
    "trainer": Box(545, 455, 150, "fold", ("trainer: new versions",)),
    "models": _topic(390, 455, "models"),
    "events": _topic(390, 390, "model-events"),
    "dead": _topic(230, 325, "dead-letters"),
}
ARROWS = (
    *(("files", "ticks"), ("files", "bars"), ("venue", "ticks"), ("venue", "gaps"), ("client", "bars")),
    *(("ticks", "make_bars"), ("make_bars", "bars"), ("bars", "indicators")),
    *(("indicators", "features"), ("indicators", "regimes"), ("features", "forecast"), ("forecast", "predictions")),
    *(("predictions", "score"), ("score", "outcomes"), ("predictions", "persist"), ("persist", "database")),
    *(("persist", "redis"), ("database", "pages"), ("predictions", "rules"), ("outcomes", "rules")),
    *(("rules", "alerts"), ("alerts", "receivers"), ("outcomes", "watch"), ("watch", "drift"), ("watch", "trainer")),
    *(("trainer", "models"), ("watch", "models"), ("models", "events"), ("bars", "dead")),
)


def picture() -> str:
    """Return the picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">',
        "<title>The flow of records through Foretick</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0 8 4 0 8z" fill="{ARROW}"/></marker></defs>',
        *(_arrow(BOXES[start], BOXES[end]) for start, end in ARROWS),
        *(_box(box) for box in BOXES.values()),
        *_key(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arrow(start: Box, end: Box) -> str:
    (x1, y1), (x2, y2) = _edge(start, end), _edge(end, start)
    line = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
    return f'<line {line} stroke="{ARROW}" stroke-width="1.5" marker-end="url(#tip)"/>'


def _edge(box: Box, other: Box) -> tuple[float, float]:
    """Return where the line between the middles of two boxes leaves the first."""
    dx, dy = other.x - box.x, other.y - box.y
    part = min(
        (box.width / 2 + 2) / abs(dx) if dx else float("inf"), (box.height / 2 + 2) / abs(dy) if dy else float("inf")
    )
    return box.x + dx * part, box.y + dy * part


def _box(box: Box) -> str:
    fill, stroke = COLOURS[box.kind]
    left, top = box.x - box.width / 2, box.y - box.height / 2
    rounded = 0 if box.kind == "topic" else ROUND
    rectangle = (
        f'<rect x="{left:g}" y="{top:g}" width="{box.width}" height="{box.height}" rx="{rounded}" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )
    return rectangle + "".join(
        f'<text x="{box.x}" y="{top + 18 + LINE * number:g}" text-anchor="middle" fill="{TEXT}">{escape(line)}</text>'
        for number, line in enumerate(box.lines)
    )


def _key() -> list[str]:
    names = {"outside": "outside", "topic": "Kafka topic", "fold": "fold or component", "store": "store"}
    return [_box(Box(90 + 150 * place, 500, 130, kind, (name,))) for place, (kind, name) in enumerate(names.items())]
