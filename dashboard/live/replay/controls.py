"""The replay's slider and buttons, and how far it has played."""

import time
from collections.abc import Callable
from dataclasses import replace

from bokeh.models.callbacks import CustomJS
from bokeh.models.layouts import Column, Row
from bokeh.models.ui.ui_element import UIElement
from bokeh.models.widgets.buttons import Button
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.sliders import Slider

from dashboard.clock import Clock
from dashboard.live.drawing import Drawing
from dashboard.live.feed import View
from dashboard.live.freshness import PageHealth
from dashboard.live.past_view import PastView
from dashboard.live.replay.reader import ReplayReader
from dashboard.live.series_reader import Key, Snapshot
from dashboard.live.view_state import Choice
from dashboard.site_page import look, texts
from dashboard.static_files import asset
from topics.units import interval_ms

SPEEDS = (1, 4, 16, 60)
"""Bars a second."""
PLAY, PAUSE = "▶ Play", "❚❚ Pause"
Go = Callable[[PastView, bool | None], None]
"""Shows another view; whether it is a step of the browser's history, None while it is not even in the address."""


class ReplayControls:
    """What plays: `go` is what a button does to the page."""

    def __init__(self, drawing: Drawing, reader: ReplayReader | None, go: Go) -> None:
        self.drawing, self.reader, self.go = drawing, reader, go
        self.begin = Button(name="replay", label="Replay", **look())
        self.play = Button(label=PLAY, width=86, **look())
        self.slider = Slider(start=0, end=1, value=0, step=1, show_value=False, tooltips=False, **look())
        self.slider.sizing_mode = "stretch_width"
        self.label = texts(["window"])["window"]
        self.speed = RadioButtonGroup(labels=[f"{speed}/s" for speed in SPEEDS], active=1, **look())
        self.leave = Button(label="Leave replay", **look())
        buttons = Row(children=[self.play, self.speed, self.leave], spacing=8, styles={"flex-wrap": "wrap"})
        self.bar = Column(name="replay_bar", visible=False, sizing_mode="stretch_width", spacing=6)
        self.bar.children = [self.label, self.slider, buttons]
        self.choice = Choice()
        self.stored: tuple[int, int] | None = None
        self.shown: int | None = None
        """The moment that the page shows; behind the choice's own while that one is read."""
        self.playing = self.arrived = self._showing = False
        self._since, self._active = 0.0, False
        named = CustomJS(args={"slider": self.slider, "bar": self.bar}, code=asset("name_slider.js"))
        self.bar.js_on_change("visible", named)
        self.named = named
        """Gives the slider a name for screen readers, which Bokeh does not."""
        self.begin.on_click(self._begin)
        self.play.on_click(self._toggle)
        self.leave.on_click(lambda: self.go(PastView(), True))
        self.slider.on_change("value", self._moved)
        self.slider.on_change("value_throttled", self._settled)

    @property
    def widgets(self) -> tuple[UIElement, ...]:
        """Return the roots of the document."""
        return self.begin, self.bar

    @property
    def window(self) -> tuple[int, int]:
        """Return the first and the last moment that can be played [ms]: the span around the view, of what is stored."""
        past, step = self.choice.past, self._step
        width = (past.bars or self.choice.span) * step
        middle = past.at if past.at is not None else past.replay or 0
        start = (middle - width // 2) // step * step
        first, last = self.stored or (start, start + width)
        start = max(first, min(start, last - step))
        return start, max(start + step, min(start + width, last))

    @property
    def _step(self) -> int:
        return interval_ms(self.choice.interval) if self.choice.interval else 60_000

    def switched(self, choice: Choice) -> bool:
        """Take over the choice; return whether a replay has begun or ended."""
        self.choice, active = choice, choice.past.replay is not None
        changed, self._active = active != self._active, active
        if changed:
            self.playing = False
            self.drawing.release()
        return changed

    def played(self, choice: Choice) -> Choice:
        """Return the choice with how far it has played; no step is taken before the one before is shown."""
        position = choice.past.replay
        if position is not None and choice.past.at is None:
            choice = replace(choice, past=replace(choice.past, at=position))  # the window does not move as it plays
        if position is None or not self.playing or not self.arrived:
            return choice
        now = time.monotonic()
        bars = int((now - self._since) * SPEEDS[self.speed.active or 0])
        if not bars:
            return choice
        self._since = now
        end = self.window[1]
        self.playing = position + bars * self._step < end
        return replace(choice, past=replace(choice.past, replay=min(end, position + bars * self._step)))

    @property
    def failure(self) -> str | None:
        """Return why what was known then cannot be read, None if it can."""
        return self.reader.failure(self) if self.reader else None

    def seen(self, view: View, key: Key | None) -> View:
        """Return what the page is to show: in a replay what was known at its moment, None while that is not read."""
        if view.newest is not None and view.newest.bar is not None:
            newest = round(view.newest.bar.timestamp() * 1000) + self._step
            first = view.snapshot.latest.first if view.snapshot else None
            if first is not None:
                self.stored = round(first.timestamp() * 1000) + self._step, newest
        if key is None or self.choice.past.replay is None:
            return view
        wanted = replace(key, until=self._within(self.choice.past.replay))
        answer = self.reader.view(self, wanted) if self.reader else None
        self.arrived = answer is not None and answer.key == wanted
        fits = answer is not None and replace(answer.key, until=None, window=key.window) == key
        self.shown = answer.key.until if answer is not None and fits else None
        return replace(view, snapshot=answer.value if answer is not None and fits else None)

    def _within(self, moment: int) -> int:
        start, end = self.stored or (moment, moment)
        return min(max(moment // self._step * self._step, start), end)

    def show(self, clock: Clock) -> None:
        """Bring the widgets to the replay."""
        active = self.choice.past.replay is not None
        for widget, name, value in (
            (self.bar, "visible", active),
            (self.begin, "disabled", active or self.reader is None),
            (self.play, "label", PAUSE if self.playing else PLAY),
        ):
            if getattr(widget, name) != value:
                setattr(widget, name, value)
        if not active or self.choice.past.replay is None:
            return
        start, end = self.window
        steps = (end - start) // self._step
        at = min(max((self.choice.past.replay - start) // self._step, 0), steps)
        words = f"<small>Window: {clock.moment(start)} to {clock.brief(end, start)}. Speed in bars a second.</small>"
        self._showing = True
        if (self.slider.end, self.slider.value) != (steps, at):
            self.slider.update(end=steps, value=at)
        if self.label.text != words:
            self.label.text = words
        self._showing = False

    def health(self, snapshot: Snapshot | None, clock: Clock) -> PageHealth:
        """Return the page's state in a replay: never live, whatever comes meanwhile."""
        if snapshot is None or snapshot.key.until is None:
            return PageHealth("connecting", "replay", "Reading what was known then.")
        speed = f"{SPEEDS[self.speed.active or 0]} bars a second"
        if not self.playing:
            speed = "paused" if self.arrived else "reading"
        return PageHealth("replay", f"replay of {said(snapshot.key.until, clock)}", speed)

    def _begin(self) -> None:
        """Play what is in view: the last span where that is the newest."""
        choice, step = self.choice, self._step
        if choice.series is None or self.stored is None:
            return
        past = choice.past
        if past.at is None:
            past = PastView(at=self.stored[1] - choice.span * step // 2 // step * step)
        self.choice = replace(choice, past=past)
        self.go(replace(past, replay=self.window[0]), True)

    def _toggle(self) -> None:
        self.playing, self._since = not self.playing, time.monotonic()
        past, (start, end) = self.choice.past, self.window
        if self.playing and past.replay is not None and past.replay >= end:
            past = replace(past, replay=start)
        if not self.playing and self.shown is not None:
            past = replace(past, replay=self.shown)  # it stops at what is seen, not at a step that is still read
        self.go(past, False)

    def _moved(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Show the moment at the slider's handle, and stay there."""
        if not self._showing and self.choice.past.replay is not None:
            self.playing = False
            position = self.window[0] + round(float(self.slider.value)) * self._step
            self.go(replace(self.choice.past, replay=position), None)

    def _settled(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - likewise
        if not self._showing and self.choice.past.replay is not None:
            self.go(self.choice.past, False)


def said(ms: int, clock: Clock) -> str:
    """Return a moment as the badge has it.

    >>> said(1_748_959_500_000, Clock())
    '3 June 2025 14:05 UTC'
    """
    return f"{clock.day(ms)} {clock.at(ms):%H:%M %Z}"
