"""One viewer's page of studies: it keeps the choice, reads what is known, and draws changes."""

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import MultiChoice, Select, TextInput

from dashboard.html import title
from dashboard.live.header import badge, notices
from dashboard.multi_choice import offer
from dashboard.polled_reader import PolledReader
from dashboard.reader_health import nothing, page_health
from dashboard.series_colours import MOST, series_colours
from dashboard.service import PageRequest
from dashboard.site_page import SitePage, look
from dashboard.tuning import page_text, plot_data, plots
from dashboard.tuning.choice import ORDERS, STATE_CHOICES, TOPS, Choice, by_importance, parameters, parse, query
from dashboard.tuning.study_reader import Studies, Study, StudySource
from dashboard.tuning.trial_filter import matching
from learning.tuning.importances_process import Importances, ImportancesProcess
from learning.tuning.later_check import later_check
from learning.tuning.study_table import STATES, Parameter

Reader = PolledReader[StudySource, tuple[str, ...], Studies]
NAMES = (
    "studies_table",
    "best_trial",
    *(f"{name}_title" for name in ("history", "importance", "parallel", "slice", "contour", "rank", "edf")),
    "intermediate_title",
    "timeline_title",
    "trials_table",
)
TIMELINE_TICKS = 8
"""After so many ticks the bars of the trials that run are drawn longer."""
EMPTY = "No study was made yet: tune a model, or run the pipeline with trials."

PARAMETER_PLOTS = {"slice": "Slice", "rank": "Rank", "contour": "Contour", "parallel": "Parallel coordinates"}


class TuningDocument(SitePage):
    """The document of one browser tab."""

    at_once = ("history",)

    def __init__(
        self, document: Document, request: PageRequest, reader: Reader, importances: ImportancesProcess
    ) -> None:
        super().__init__(document, request, NAMES)
        self.reader, self.importances = reader, importances
        self.choice, notes = parse(self.given)
        self.notes += notes
        self.known: Studies | None = None
        self.found: Importances | None = None
        self.axes: tuple[str | None, str | None] = (self.choice.x, self.choice.y)
        self._showing, self.ticks = False, 0
        self.laid_out: object = None
        self.studies = MultiChoice(
            name="studies", max_items=MOST, placeholder="the newest", sizing_mode="stretch_width", **look()
        )
        self.x, self.y = (Select(name=name, sizing_mode="stretch_width", **look()) for name in ("x", "y"))
        self.top = RadioButtonGroup(name="top", labels=[f"{share} %" for share in TOPS], **look())
        self.state = Select(name="state", options=list[Any](STATE_CHOICES), **look())
        self.order = Select(name="order", options=list[Any](ORDERS), **look())
        self.where = TextInput(name="where", placeholder="learning_rate < 0.05", sizing_mode="stretch_width", **look())
        self._plots()
        self._show_choice()
        for widget in (self.studies, self.x, self.y, self.state, self.order, self.where):
            document.add_root(widget)
            widget.on_change("value", self._chosen)
        document.add_root(self.top)
        self.top.on_change("active", self._chosen)
        self.begin()

    def _plots(self) -> None:
        self.history, self.edf, self.importance = plots.History(), plots.Distribution(), plots.Importance()
        self.parallel, self.intermediate, self.timeline = plots.Parallel(), plots.Intermediate(), plots.Timeline()
        self.slice, self.rank = plots.Points("slice"), plots.Points("rank")
        self.contour = plots.Points("contour", areas=True)
        self.painted = (
            self.history, self.edf, self.importance, self.parallel, self.slice, self.contour, self.rank
        )  # fmt: skip
        for one in (*self.painted, self.intermediate, self.timeline):
            self.document.add_root(one.plot)

    def query(self) -> Mapping[str, str | None]:
        """Return the choice as the address has it."""
        return query(self.choice)

    def paint(self) -> None:
        """Draw everything anew in the colours of the theme."""
        for one in self.painted:
            one.paint(self.palette)
        self._draw()

    def tick(self) -> None:
        """Ask what is known, and bring the page to it. Never waits."""
        reading = self.reader.view(self.choice.studies, self.wake)
        value = reading.value
        health = page_health([reading], value is not None and bool(value.known), EMPTY)
        if value is not None and value != self.known:
            self.known = value
            self._take(value)
            self._show_choice()
            self._draw()
        primary = self._primary()
        if self.known is not None and primary is not None:
            found = self.importances.known(primary.table.summary)
            if found != self.found:
                self.found = found
                self._take(self.known)
                self._show_choice()
                self._draw()
            self.ticks += 1
            if primary.table.summary.running and self.ticks % TIMELINE_TICKS == 0:
                self._draw_timeline(primary)
        blank = value is None or not value.known
        self.write("badge", badge(health))
        self.write("notices", "" if blank else notices(health, self.notes))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        commands = ("./foretick tune gbm", "./foretick pipeline run --tune 20")
        self.write("blank", nothing(health, "No study yet", commands) if blank else "")
        self.bridge.state = "blank" if blank else health.kind

    def _take(self, value: Studies) -> None:
        """Say which of the studies in the address do not exist, and choose what the page may choose."""
        exist = {one.name for one in value.known}
        missing = [name for name in self.choice.studies if name not in exist]
        if missing and exist:
            self.notes = tuple(f"There is no study {name[:80]}." for name in missing)
            self.choice = replace(self.choice, studies=tuple(name for name in self.choice.studies if name in exist))
        primary = self._primary()
        if primary is not None:
            self.axes, notes = parameters(self.choice, primary.table, self._ranked())
            self.notes = (*(note for note in self.notes if note not in notes), *notes)

    def _ranked(self) -> tuple[str, ...]:
        """Return the parameters whose importance is known, the greatest first."""
        return tuple(self.found.shares) if self.found else ()

    def _shown(self) -> dict[str, Study]:
        """Return the studies that are drawn, in the order of the choice."""
        if self.known is None:
            return {}
        names = [name for name in self.choice.studies if name in self.known.shown] or list(self.known.shown)[:1]
        return {name: self.known.shown[name] for name in names}

    def _primary(self) -> Study | None:
        return next(iter(self._shown().values()), None)

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        if self._showing:
            return
        self.choice = Choice(
            studies=tuple(self.studies.value),
            x=self.choice.x if self.x.value == self.axes[0] else self.x.value,
            y=self.choice.y if self.y.value == self.axes[1] else self.y.value,
            top=TOPS[self.top.active or 0],
            state=self.state.value,
            order=self.order.value,
            where=self.where.value.strip(),
        )
        self.notes = ()
        if self.known is not None:
            self._take(self.known)
            self.notes = ()
        self._show_choice()
        self._draw()
        self.tick()

    def _show_choice(self) -> None:
        """Show the choice in the choosers and in the address."""
        self._showing = True
        names = [one.name for one in self.known.known] if self.known else [*self.choice.studies]
        offer(self.studies, [(name, name) for name in names])
        self.studies.value = [*self.choice.studies]
        primary = self._primary()
        options: list[Any] = list(primary.table.parameters) if primary else []
        for widget, value in zip((self.x, self.y), self.axes, strict=True):
            widget.options = options
            widget.value = value if value in options else ""
            widget.disabled = not options
        self.top.active = TOPS.index(self.choice.top)
        self.state.value, self.order.value, self.where.value = self.choice.state, self.choice.order, self.choice.where
        self.address()
        self._showing = False

    def _draw(self) -> None:
        """Draw the chosen studies."""
        shown, primary = self._shown(), self._primary()
        if self.known is None or primary is None:
            return
        laid_out = tuple(shown), self.axes, self._ranked(), self.palette
        new, self.laid_out = laid_out != self.laid_out, laid_out
        with self.document.models.freeze() if new else nullcontext():  # what is drawn anew may have other axes
            self._draw_studies(self.known, shown)
            self._draw_importance(primary)
            self._draw_parameters(primary)
            self._draw_trials(primary)

    def _draw_studies(self, known: Studies, shown: Mapping[str, Study]) -> None:
        colours = dict(zip(shown, series_colours(self.palette), strict=False))
        tables = [study.table for study in shown.values()]
        histories = [plot_data.history(table) for table in tables]
        draw, names = self.in_view.draw, list(shown)
        draw("history", lambda: self.history.show(names, histories))
        draw("edf", lambda: self.edf.show(names, [plot_data.distribution(table) for table in tables]))
        points, complete = sum(len(one["number"]) for one, _ in histories), sum(int(t.complete.sum()) for t in tables)
        note = f"best so far, and {page_text.drawn(points, complete, 'complete trials')}"
        self.write("studies_table", page_text.studies(known.known, colours))
        self.write("history_title", title("Optimisation history", note, colours, "line"))
        self.write("edf_title", title("Distribution of the values", "EDF", colours, "line"))
        self.write("best_trial", page_text.best(tables[0], later_check(tables[0])))

    def _draw_importance(self, study: Study) -> None:
        found = self.found
        self.in_view.draw("importance", lambda: self.importance.show(found.shares if found else {}))
        self.write("importance_title", page_text.importance_title(found, int(study.table.complete.sum())))

    def _draw_parameters(self, study: Study) -> None:
        table, dark, choice = study.table, self.palette.dark, self.choice
        x, y = (table.parameters.get(name or "") for name in self.axes)
        if x is None or y is None:
            for name, heading in PARAMETER_PLOTS.items():
                self.write(f"{name}_title", title(heading, "no trial is complete yet"))
            return

        def points(y_name: str | None) -> plot_data.Columns:
            return plot_data.points(table, x.name, y_name, dark)

        def areas() -> plot_data.Columns:
            return plot_data.contour(table, x.name, y.name, dark)

        draw = self.in_view.draw
        draw("slice", lambda: self.slice.show(points(None), x, None))
        draw("rank", lambda: self.rank.show(points(y.name), x, y))
        draw("contour", lambda: self.contour.show(plot_data.few(points(y.name)), x, y, areas()))
        by_one, by_two = (len(plot_data.chosen(table, *names)) for names in ((x.name,), (x.name, y.name)))
        complete = int(table.complete.sum())
        said = page_text.drawn(by_one, complete)
        self.write("slice_title", title("Slice", f"value by {x.name}, {said}", {}))
        self.write("rank_title", title("Rank", page_text.drawn(by_two, complete), self._ends()))
        self.write("contour_title", title("Contour", f"kernel mean of {complete:,} trials", self._ends()))
        names = by_importance(table, self._ranked())
        lines = plot_data.parallel(table, names, choice.top, dark)
        heads = [f"{name} (log)" if table.parameters[name].log else name for name in names]
        ends = [_ends_of(table.parameters[name]) for name in names]
        values = lines["value"]
        ends.append(
            (page_text.number(float(values.min())), page_text.number(float(values.max()))) if len(values) else ("", "")
        )
        draw("parallel", lambda: self.parallel.show(lines, [*heads, "value"], ends, names))
        count = max(1, round(complete * choice.top / 100)) if complete else 0
        note = f"best {choice.top} %: {page_text.drawn(len(lines['xs']), count)}"
        self.write("parallel_title", title("Parallel coordinates", note, self._ends()))

    def _ends(self) -> dict[str, str]:
        best, worst = plot_data.ramp(np.array([1.0, 0.0]), self.palette.dark)
        return {"best": best, "worst": worst}

    def _draw_trials(self, study: Study) -> None:
        table, palette = study.table, self.palette
        colours = {state: getattr(palette, name) for state, name in plots.STATE_COLOURS.items()}
        lines = {number: line for number, line in study.intermediate.items() if number < len(table)}
        states = [STATES[table.state[number]].lower() for number in lines]
        columns = {
            "xs": [steps for steps, _ in lines.values()],
            "ys": [values for _, values in lines.values()],
            "number": list(lines),
            "state": states,
            "colour": [colours[state] for state in states],
        }
        self.in_view.draw("intermediate", lambda: self.intermediate.show(columns))
        seen = {state: colours[state] for state in plots.STATE_COLOURS if state in states}
        note = f"the best and the last, {page_text.drawn(len(lines), len(table))}" if lines else "none was reported"
        self.write("intermediate_title", title("Intermediate values", note, seen, "line"))
        self._draw_timeline(study)
        try:
            self.write("trials_table", page_text.trials(table, matching(table, self.choice), study.reasons))
        except ValueError as error:
            self.write("trials_table", title("Trials", "", {}) + f'<p class="stale">{escape(str(error))}</p>')

    def _draw_timeline(self, study: Study) -> None:
        """Draw when the last trials ran; the bars of those that run grow."""
        table, palette = study.table, self.palette
        colours = {state: getattr(palette, name) for state, name in plots.STATE_COLOURS.items()}
        bars = plot_data.timeline(table, time.time())
        self.in_view.draw("timeline", lambda: self.timeline.show(bars, palette))
        seen = {state: colours[state] for state in plots.STATE_COLOURS if state in bars["state"]}
        self.write("timeline_title", title("Timeline", page_text.drawn(len(bars["number"]), len(table)), seen))


def _ends_of(parameter: Parameter) -> tuple[str, str]:
    return plot_data.written(parameter, parameter.low), plot_data.written(parameter, parameter.high)
