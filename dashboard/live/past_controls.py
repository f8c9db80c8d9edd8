"""The date box and the buttons by which the viewer moves in time, and the notice where nothing is stored."""

from dataclasses import replace

from bokeh.models.widgets.buttons import Button
from bokeh.models.widgets.inputs import TextInput

from dashboard.clock import Clock
from dashboard.live.drawing import AHEAD, Drawing
from dashboard.live.past_view import EXPECTED, PastView, moment_of
from dashboard.live.series_reader import Snapshot
from dashboard.live.view_state import BarSeries, Choice
from dashboard.site_page import look
from topics.units import interval_ms

BESIDE = 0.9
"""How far one step to the earlier or the later goes, as a share of what is in view."""


class PastControls:
    """Keeps the viewer's position and the choice in step: `place` moves the view, `follow` says where it is."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.box = TextInput(name="goto", title="Go to (UTC)", placeholder="2025-06-03 14:05", width=172, **look())
        self.earlier, self.later, self.newest = (
            Button(name=name, label=label, **look())
            for name, label in (("earlier", "◂ Earlier"), ("later", "Later ▸"), ("newest", "Newest"))
        )
        self.words: tuple[str, ...] = ()
        """The notice about the last request."""
        self._placed: tuple[object, PastView] | None = None
        self._wished = False

    @property
    def widgets(self) -> tuple[TextInput | Button, ...]:
        """Return the widgets, each a root of the document."""
        return self.box, self.earlier, self.later, self.newest

    def show(self, clock: Clock, following: bool) -> None:
        """Say in which time zone a date is meant, and whether there is anything later."""
        title = f"Go to ({clock.short()})"
        if self.box.title != title:
            self.box.title = title
        for button in (self.later, self.newest):
            if button.disabled != following:
                button.disabled = following

    def asked(self, text: str, clock: Clock, past: PastView) -> PastView:
        """Return where the typed date leads, where the view was if it is none."""
        self.words = ()
        try:
            self._wished = True
            return PastView(at=moment_of(text, clock.zone), bars=past.bars)
        except ValueError:
            self.words = (f"{text[:40]} is not {EXPECTED}.",)
            return past

    def beside(self, series: BarSeries, way: int) -> PastView:
        """Return the view before (-1) or after (1) the present one."""
        start, end = self.drawing.view
        step = interval_ms(series.interval)
        self._wished, self.words = True, ()
        at = max(0, round(((start + end) / 2 + way * BESIDE * (end - start)) / step) * step)
        return PastView(at=at, bars=self._placed[1].bars if self._placed else None)

    def forget(self) -> None:
        """Forget where the view was put: another has moved it."""
        self._placed, self.words = None, ()

    def place(self, choice: Choice) -> Choice:
        """Move the view to where the choice says, if that is new; what is of no span any more is forgotten."""
        series, past = choice.series, choice.past
        if series is None:
            return choice
        subject = (series, choice.span)
        if self._placed is not None and self._placed[0] != subject:
            past = replace(past, bars=None)
        if self._placed == (subject, past):
            return choice
        if past.at is None:
            if self._placed is not None and self._placed[1].at is not None:
                self.drawing.release()
        else:
            step = interval_ms(series.interval)
            half = (past.bars or choice.span + AHEAD) * step / 2
            self.drawing.look_at(subject, past.at - half, past.at + half)
            self._wished = True
        self._placed = subject, past
        return replace(choice, past=past)

    def follow(self, choice: Choice) -> Choice:
        """Return the choice with where the viewer looks now."""
        series = choice.series
        if series is None or self.drawing.subject != (series, choice.span):
            return choice
        past = PastView()
        if not self.drawing.following:
            step, (start, end) = interval_ms(series.interval), self.drawing.view
            bars = max(1, round((end - start) / step))
            at = round((start + end) / 2 / step) * step
            past = PastView(at=at, bars=None if bars == choice.span + AHEAD else bars)
        if self._placed is not None and self._placed[1] != past:
            self.words = ()  # the viewer has moved on
        self._placed = (series, choice.span), past
        return replace(choice, past=past)

    def bounded(self, choice: Choice, snapshot: Snapshot | None, clock: Clock) -> Choice:
        """Return the choice within what is stored, and keep in `words` why a request could not be followed."""
        if not self._wished or snapshot is None or snapshot.newest.bar is None or choice.past.at is None:
            return choice
        if snapshot.key.series != choice.series or snapshot.key.window.end is None:
            return choice
        self._wished = False
        first, newest = (time.timestamp() * 1000 for time in (snapshot.latest.first, snapshot.newest.bar))
        step = interval_ms(snapshot.key.series.interval)
        half = round((choice.past.bars or choice.span + AHEAD) / 2) * step
        if choice.past.at < first:
            at = min(round(first) + half, round(newest))
            self.words = (f"Nothing is stored before {clock.moment(first)}: these are the oldest bars.",)
            return replace(choice, past=replace(choice.past, at=at))
        if choice.past.at > newest:
            self.words = (f"Nothing is stored after {clock.moment(newest)}: these are the newest bars.",)
            return replace(choice, past=PastView())
        if choice.past.bars is None and choice.past.at + half > newest + AHEAD * step:
            return replace(choice, past=PastView())  # the view of the newest bars has it, and more of what was before
        return choice

    def emptiness(self, snapshot: Snapshot, clock: Clock) -> tuple[str, ...]:
        """Return what to say where the viewer has moved to where nothing is stored."""
        first = snapshot.latest.first.timestamp() * 1000
        if self.drawing.following or self.drawing.view[1] >= first:
            return ()
        return (f"Nothing is stored here: the oldest bar is of {clock.moment(first)}.",)
