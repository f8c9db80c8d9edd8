"""One viewer's page of trainings: it keeps the choice, reads what is known, and draws changes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bokeh.document import Document
from bokeh.models.widgets.inputs import MultiChoice, Select

from dashboard.clock import Clock
from dashboard.crosshair import share_crosshair
from dashboard.live.header import badge, notices
from dashboard.multi_choice import offer
from dashboard.polled_reader import PolledReader
from dashboard.reader_health import nothing, page_health
from dashboard.series_colours import MOST, series_colours
from dashboard.service import PageRequest
from dashboard.site_page import SitePage, look
from dashboard.training import page_text
from dashboard.training.choice import (
    CPU,
    GPU,
    GPU_MEMORY,
    HELD_OUT,
    IN_TRAINING,
    MEMORY,
    SYSTEM,
    Choice,
    groups,
    metric_label,
    parse,
    query,
    settle,
    splits,
)
from dashboard.training.plots import CurvePlot
from dashboard.training.sources import CurveKey, Files, MlflowSource, Stored, Tracked, Wanted
from learning.runs.progress import progress
from learning.runs.queue import Runs
from learning.runs.records import Overview
from learning.tracking.mlflow_reader import Curve, LoggedRun

NAMES = (
    "pipeline",
    "runs_table",
    "log",
    "figures",
    *(f"{name}_title" for name in ("loss", "splits", "cpu", "memory")),
)
EMPTY = "Nothing was trained yet: start the stack, or train on a file."


@dataclass(frozen=True)
class Readers:
    """What reads for all viewers: the runs of the pipeline, MLflow, and the files."""

    runs: PolledReader[Runs, str | None, Overview]
    mlflow: PolledReader[MlflowSource, Wanted, Tracked]
    files: PolledReader[Files, str | None, Stored]


class TrainingDocument(SitePage):
    """The document of one browser tab."""

    at_once = ("loss",)

    def __init__(self, document: Document, request: PageRequest, readers: Readers) -> None:
        super().__init__(document, request, NAMES)
        self.readers = readers
        self.choice = parse(self.given)
        self.shown: tuple[str, ...] = ()
        self.overview: Overview | None = None
        self.tracked, self.stored = Tracked((), {}), Stored(Tracked((), {}), ())
        self._showing = False
        self.runs = MultiChoice(
            name="runs", max_items=MOST, placeholder="the newest", sizing_mode="stretch_width", **look()
        )
        self.group, self.split, self.pipeline = (
            Select(name=name, sizing_mode="stretch_width", **look()) for name in ("curve", "split", "run")
        )
        for widget in (self.runs, self.group, self.split, self.pipeline):
            document.add_root(widget)
            widget.on_change("value", self._chosen)
        self.loss = CurvePlot("loss", "epoch or round", "loss")
        self.by_split = CurvePlot("splits", "split", "%", marks=True)
        self.cpu, self.memory = (
            CurvePlot(name, "seconds", unit, from_zero=True)
            for name, unit in (("cpu", "% of a core"), ("memory", "MB"))
        )
        share_crosshair((self.cpu.plot, self.memory.plot))
        self.plots = (self.loss, self.by_split, self.cpu, self.memory)
        for one in self.plots:
            document.add_root(one.plot)
        self.begin()

    def query(self) -> Mapping[str, str | None]:
        """Return the choice as the address has it."""
        return query(self.choice)

    def paint(self) -> None:
        """Draw everything anew in the colours of the theme."""
        for one in self.plots:
            one.paint(self.palette)
        self._draw()

    def tick(self) -> None:
        """Ask what is known, and bring the page to it. Never waits."""
        runs = self.readers.runs.view(self.choice.pipeline, self.wake)
        shown = self.overview.run.run_id if self.overview and self.overview.run else self.choice.pipeline
        files = self.readers.files.view(shown, self.wake)
        mlflow = self.readers.mlflow.view(self._wanted(), self.wake)
        self.overview = runs.value or self.overview
        self.stored = files.value or self.stored
        self.tracked = mlflow.value or self.tracked
        self._settle()
        something = bool(self.known) or bool(self.overview and self.overview.runs)
        health = page_health([runs, mlflow, files], something, EMPTY)
        self._draw()
        notes = (*self.notes, *self._missing(runs.value))
        self.write("badge", badge(health))
        self.write("notices", notices(health, notes) if something else "")
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        commands = ("./foretick up", "./foretick train FILE")
        self.write("blank", "" if something else nothing(health, "No training yet", commands))
        self.bridge.state = health.kind if something else "blank"

    @property
    def known(self) -> tuple[LoggedRun, ...]:
        """Return the runs of MLflow, then the stored versions that no run of it made."""
        made = {run.version for run in self.tracked.runs if run.version}
        return (*self.tracked.runs, *(run for run in self.stored.tracked.runs if run.version not in made))

    def _wanted(self) -> Wanted:
        group, split = self.choice.group, self.choice.split
        metrics = [f"{group}/{HELD_OUT}", f"{group}/{IN_TRAINING}"] if group else []
        return Wanted(runs=self.shown, metrics=(*metrics, *([split] if split else []), *SYSTEM))

    def _missing(self, overview: Overview | None) -> tuple[str, ...]:
        """Return what the address asks for and is not there."""
        notes = []
        known = {run.run_id for run in self.known}
        if known and any(name not in known for name in self.choice.runs):
            notes.append("Not every run of the address is known: MLflow may have deleted it, or does not answer.")
        wanted = self.choice.pipeline
        if wanted and overview is not None and overview.run is not None and overview.run.run_id != wanted:
            notes.append(f"There is no run {wanted[:60]} of the pipeline: this is the newest.")
        return tuple(notes)

    def _settle(self) -> None:
        """Choose what the page may choose, and show it in the choosers."""
        overview = self.overview
        parent = overview.run.mlflow_run_id if overview and overview.run else None
        self.shown = settle(self.choice, self.known, parent)
        compared = self._compared()
        has, by_split = groups(compared), splits(compared)
        group = self.choice.group if self.choice.group in has else next(iter(has), self.choice.group)
        split = self.choice.split if self.choice.split in by_split else next(iter(by_split), self.choice.split)
        self.choice = replace(self.choice, group=group, split=split)
        self._show_choice(has, by_split)

    def _compared(self) -> list[LoggedRun]:
        by_id = {run.run_id: run for run in self.known}
        return [by_id[run_id] for run_id in self.shown if run_id in by_id]

    def _show_choice(self, has: Sequence[str], by_split: Sequence[str]) -> None:
        self._showing = True
        clock = self.clock
        options = [(run.run_id, _label(run, clock)) for run in self.known]
        offer(self.runs, options)
        value = [run_id for run_id in self.choice.runs if run_id in {one[0] for one in options}]
        if self.runs.value != value:
            self.runs.value = value
        _offer(self.group, [(name, metric_label(name)) for name in has])
        _offer(self.split, [(name, metric_label(name)) for name in by_split])
        overview = self.overview
        offered = [run.run_id for run in overview.runs] if overview else []
        _offer(self.pipeline, [(run_id, run_id) for run_id in offered])
        newest = overview.run.run_id if overview and overview.run else ""
        chosen = self.choice.pipeline if self.choice.pipeline in offered else newest
        for widget, name in ((self.group, self.choice.group), (self.split, self.choice.split), (self.pipeline, chosen)):
            if widget.options and widget.value != (name or ""):
                widget.value = name or ""
            widget.disabled = not widget.options
        self.address()
        self._showing = False

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        if self._showing:
            return
        newest = self.overview.runs[0].run_id if self.overview and self.overview.runs else None
        wanted = self.pipeline.value or None
        self.choice = Choice(
            runs=tuple(self.runs.value),
            group=self.group.value or None,
            split=self.split.value or None,
            pipeline=wanted if wanted != newest or self.choice.pipeline is not None else None,
        )
        self.notes = ()
        self.tick()

    def _draw(self) -> None:
        """Draw what is known."""
        compared, now = self._compared(), int(time.time() * 1_000)
        colours = dict(zip(self.shown, series_colours(self.palette), strict=False))
        names = {run.run_id: run.name for run in compared}
        group, split = self.choice.group or "", self.choice.split or ""
        held_out, trained = self._curves(f"{group}/{HELD_OUT}"), self._curves(f"{group}/{IN_TRAINING}")
        walked = self._curves(split)
        drawn = {
            self.loss: [held_out, trained],
            self.by_split: [walked],
            self.cpu: [self._curves(CPU), self._curves(GPU)],
            self.memory: [self._curves(MEMORY), self._curves(GPU_MEMORY)],
        }
        for plot, curves in drawn.items():
            self.in_view.draw(str(plot.plot.name), partial(plot.show, self.shown, names, curves))
        self.bridge.nothing = " ".join(str(plot.plot.name) for plot, curves in drawn.items() if not any(curves))
        legend = {names[run_id]: colours[run_id] for run_id in names}
        for name, html in page_text.titles(
            metric_label(group), metric_label(split), legend, list(drawn.values())
        ).items():
            self.write(name, html)
        every = (("loss held out", f"{group}/{HELD_OUT}", held_out), ("by split", split, walked))
        columns = [column for column in every if column[2]]
        self.write("figures", page_text.figures(compared, names, colours, columns))
        lines = self.stored.lines
        run_id = self.overview.run.run_id if self.overview and self.overview.run else None
        self.write("pipeline", page_text.pipeline(self.overview, progress(lines, now), now))
        self.write("runs_table", page_text.runs(self.overview))
        self.write("log", page_text.log(lines, run_id))

    def _curves(self, metric: str) -> dict[str, Curve]:
        """Return the known curves of a metric by the runs that are compared."""
        sources: tuple[Mapping[CurveKey, Curve], ...] = (self.tracked.curves, self.stored.tracked.curves)
        return {
            run_id: source[run_id, metric] for run_id in self.shown for source in sources if (run_id, metric) in source
        }


def _label(run: LoggedRun, clock: Clock) -> str:
    began = run.started_at or run.ended_at
    when = "" if began is None else f"{clock.at(began):%d %b %H:%M}"
    return " · ".join(filter(None, (run.name, run.kind, when, "running" if run.running else "")))


def _offer(widget: Any, options: list[Any]) -> None:
    if widget.options != options:
        widget.options = options
