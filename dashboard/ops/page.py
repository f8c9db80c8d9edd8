"""One viewer's page of operations: it keeps the choice, and writes each card when what it shows has changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from bokeh.document import Document
from bokeh.models.css import InlineStyleSheet
from bokeh.models.widgets.inputs import Select, TextInput

from dashboard.live.freshness import PageHealth
from dashboard.live.header import badge
from dashboard.ops import alert_cards, cards, health_card, letter_cards
from dashboard.ops.data_health import DataHealth
from dashboard.ops.health_card import HealthPlot
from dashboard.ops.html import note, title
from dashboard.ops.readers import HEALTH_S, KAFKA_S, SPACE_S, SYSTEM_S, TABLES_S, Dated, Readers
from dashboard.ops.space import Disk, Space
from dashboard.ops.system import System
from dashboard.ops.tables import Tables
from dashboard.ops.view import STATES, parse
from dashboard.polled_reader import Reading
from dashboard.service import PageRequest
from dashboard.site_page import SitePage, look
from dashboard.static_files import asset
from stack.topic_lag import PartitionLag
from topics.units import interval_ms

S = TypeVar("S")

NAMES = (
    *("components", "log", "lag", "flow", "latency", "health_title", "health_note"),
    *("groups", "letters", "letter", "alerts", "deliveries", "space", "disk", "topics", "audit"),
)
SLACK_S = 15.0
"""How much longer than its period a reading may take before what is shown is called old."""
EVERY = "all"

SOURCES = ("system", "kafka", "tables", "health", "space", "disk", "topics")
"""What the page is read from: it is live once all have answered."""


class OpsPage(SitePage):
    """The document of one browser tab."""

    def __init__(self, document: Document, request: PageRequest, readers: Readers) -> None:
        super().__init__(document, request, NAMES)
        self.readers = readers
        self.view, notes = parse(self.given)
        self.notes += notes
        self.plot = HealthPlot()
        self._drawn: DataHealth | None = None
        self._shown: dict[str, object] = {}
        self._problems: dict[str, str] = {}
        self._known: set[str] = set()
        self._showing = False
        sheet = InlineStyleSheet(css=asset("ops.css"))
        for name in NAMES:
            self.texts[name].stylesheets = [*self.texts[name].stylesheets, sheet]
        wanted = self.view.letters
        self.topic = Select(name="letter_topic", sizing_mode="stretch_width", **look())
        states: list[str | tuple[Any, str]] = [(state, letter_cards.STATES[state]) for state in STATES]
        self.state = Select(
            name="letter_state",
            options=states,
            value=wanted.state,
            sizing_mode="stretch_width",
            **look(),
        )
        self.reason = TextInput(
            name="letter_reason", value=wanted.reason or "", placeholder="any", sizing_mode="stretch_width", **look()
        )
        self._topics(())
        for root in (self.topic, self.state, self.reason, self.plot.plot):
            document.add_root(root)
        for widget in (self.topic, self.state, self.reason):
            widget.on_change("value", self._filtered)
        self.bridge.on_change("pressed", self._chosen)
        self.bridge.on_change("visited", self._visited)
        self.begin()

    def _filtered(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        if self._showing:
            return
        topic = None if self.topic.value == EVERY else self.topic.value
        reason = self.reason.value.strip() or None
        letters = replace(self.view.letters, topic=topic, state=self.state.value, reason=reason)
        if letters != self.view.letters:
            self.view = replace(self.view, letters=replace(letters, group=None, letter=None))
            self._changed()

    def _chosen(self, attr: str, old: object, new: str) -> None:  # noqa: ARG002 - likewise
        if new:
            self.view = self.view.chosen(new)
            self.bridge.pressed = ""  # so that the same button can be pressed again
            self._changed()

    def _visited(self, attr: str, old: object, new: str) -> None:  # noqa: ARG002 - likewise
        """Take over the choice of the address to which the viewer has gone back."""
        if new:
            self.view, self.notes = parse(dict(parse_qsl(new.lstrip("?"))))
            wanted = self.view.letters
            self._showing = True
            self._topics(())
            self.state.value, self.reason.value = wanted.state, wanted.reason or ""
            self._showing = False
            self._changed(step=False)
            self.bridge.visited = ""

    def _changed(self, step: bool = True) -> None:
        self.address(step)
        self.tick()

    def _topics(self, known: tuple[str, ...]) -> None:
        """Offer the topics that have dead letters, and the chosen one."""
        chosen = self.view.letters.topic
        options: list[str | tuple[Any, str]] = [EVERY, *sorted({*known, *((chosen,) if chosen else ())})]
        if options != self.topic.options:
            self.topic.options = options
        self.topic.value = chosen or EVERY

    def query(self) -> Mapping[str, str | None]:
        """Return the choice."""
        return self.view.query()

    def paint(self) -> None:
        """Draw the heat map in the colours of the theme."""
        self._shown.pop("health_title", None)
        if self._drawn is not None:
            self.in_view.draw("health", partial(self.plot.draw, self._drawn, self.palette))

    def tick(self) -> None:
        """Write what has changed."""
        readers, view = self.readers, self.view
        tables = self._value("tables", readers.tables.view(view.letters, self.wake), TABLES_S, self._tables_cards)
        if tables is not None:
            self._topics(tables.topics)
        system = self._value("system", readers.system.view(view.log, self.wake), SYSTEM_S, self._system_cards)
        self._value("kafka", readers.kafka.view(""), KAFKA_S, self._kafka_cards)
        self._value("health", readers.health.view(readers.interval), HEALTH_S, self._health_cards)
        self._value("space", readers.space.view(""), SPACE_S, self._space_cards)
        self._value("disk", readers.disk.view(""), SPACE_S, self._disk_cards)
        self._value("topics", readers.topics.view(""), SPACE_S, self._topic_cards)
        self._say(system)

    def _value(
        self,
        source: str,
        reading: Reading[Dated[S]],
        period_s: float,
        write: Callable[[S | None, str], None],
    ) -> S | None:
        """Write the cards of a source where its value, its problem or the view has changed; return the value."""
        late = reading.age_s is not None and reading.age_s > period_s + SLACK_S
        problem = reading.error or ("Its reader is late." if late else None)
        at = None if reading.value is None else reading.value.at
        remark = cards.stale(problem, at) if problem else ""
        value = None if reading.value is None else reading.value.value
        if problem:
            self._problems[source] = problem
        else:
            self._problems.pop(source, None)
        if value is not None or problem:
            self._known.add(source)
        # The tables' cards are made of the rows alone; the others also tell how long ago something was.
        known = value if source == "tables" else reading.value
        seen = (known, remark, self.view, self.bridge.theme)
        before = self._shown.get(source)
        if before is None or before != seen:
            self._shown[source] = seen
            write(value, remark)
        return value

    def _tables_cards(self, tables: Tables | None, remark: str) -> None:
        wanted = self.view.letters
        if tables is None:
            for name, heading in (("groups", "Dead letters"), ("alerts", "Alerts"), ("deliveries", "Deliveries")):
                self.write(name, _waiting(heading, remark))
            self.write("audit", _waiting("Actions of the dashboard", remark))
            return
        self.write("groups", letter_cards.groups(tables, wanted) + remark)
        self.write("letters", letter_cards.letters(tables, wanted))
        self.write("letter", letter_cards.letter(tables, wanted))
        self.write("alerts", alert_cards.alerts(tables, self.view.every_alert) + remark)
        self.write("deliveries", alert_cards.deliveries(tables) + remark)
        self.write("audit", alert_cards.audit(tables) + remark)

    def _system_cards(self, system: System | None, remark: str) -> None:
        if system is None:
            for name, heading in (("components", "Components"), ("flow", "Throughput"), ("latency", "Latency")):
                self.write(name, _waiting(heading, remark))
            self.write("log", _waiting("Log", remark))
            return
        self.write("components", cards.components(system) + remark)
        self.write("log", cards.log(system, self.view.log) + remark)
        self.write("flow", cards.flow(system) + remark)
        self.write("latency", cards.latency(system) + remark)

    def _kafka_cards(self, partitions: list[PartitionLag] | None, remark: str) -> None:
        self.write("lag", _waiting("Consumer lag", remark) if partitions is None else cards.lag(partitions) + remark)

    def _health_cards(self, health: DataHealth | None, remark: str) -> None:
        self.plot.plot.visible = health is not None and health.end is not None
        if health is None:
            self.write("health_title", _waiting("Data health", remark))
            return
        interval = self.readers.interval
        self._drawn = health
        self.in_view.draw("health", partial(self.plot.draw, health, self.palette))
        self.write("health_title", health_card.heading(health, self.palette, interval) + remark)
        self.write("health_note", health_card.late(health, timedelta(milliseconds=interval_ms(interval))))

    def _space_cards(self, space: Space | None, remark: str) -> None:
        now = datetime.now(UTC)
        self.write("space", _waiting("Database", remark) if space is None else cards.space(space, now) + remark)

    def _disk_cards(self, disk: Disk | None, remark: str) -> None:
        now = datetime.now(UTC)
        self.write("disk", _waiting("Disk", remark) if disk is None else cards.disk(disk, now) + remark)

    def _topic_cards(self, kept: dict[str, float | None] | None, remark: str) -> None:
        wanted = self.readers.topic_days
        text = _waiting("Retention in Kafka", remark) if kept is None else cards.topics(kept, wanted) + remark
        self.write("topics", text)

    def _say(self, system: System | None) -> None:
        """Write the badge and the notices."""
        health = self._health(system)
        self.write("badge", badge(health))
        lines = [note(text, "stale") for text in sorted(set(self._problems.values()))]
        self.write("notices", "".join([*lines, *(note(text) for text in self.notes)]))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        self.bridge.state = health.kind

    def _health(self, system: System | None) -> PageHealth:
        if not self._known:
            return PageHealth("connecting", "connecting", "Reading.")
        if self._problems:
            return PageHealth("stale", "partly unreachable", " ".join(sorted(set(self._problems.values()))))
        unread = [name for name in SOURCES if name not in self._known]
        if unread:
            return PageHealth("waiting", "reading", f"Not read yet: {', '.join(unread)}.")
        components = system.components if system is not None else {}
        bad = [f"{name} {one.state}" for name, one in components.items() if not one.good]
        if bad:
            return PageHealth("stale", bad[0] if len(bad) == 1 else f"{len(bad)} need attention", f"{', '.join(bad)}.")
        return PageHealth("live", "live", "")


def _waiting(heading: str, remark: str) -> str:
    return title(heading) + (remark or note("Reading…"))
