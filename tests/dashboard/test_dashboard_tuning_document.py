"""What the tuning page does with a viewer's choice, without a browser and a database."""

from dataclasses import replace

import numpy as np
import pytest
from bokeh.document import Document
from dashboard_tables import SUMMARY, table

from dashboard.polled_reader import Reading
from dashboard.service import PageRequest
from dashboard.tuning.page import TIMELINE_TICKS, TuningDocument
from dashboard.tuning.study_reader import Studies, Study
from learning.tuning.importances_process import Importances
from learning.tuning.study_table import StudySummary, StudyTable


class Reader:
    """Knows two studies, and has read what was asked for at the second question, as a thread has."""

    def __init__(self) -> None:
        self.tables = {name: replace(table(), summary=replace(SUMMARY, name=name)) for name in ("a", "b")}
        self.asked: set[tuple[str, ...]] = {()}

    def view(self, names: tuple[str, ...], wake: object = None) -> Reading[Studies]:  # noqa: ARG002 - as the reader is
        """Return what is known."""
        if names not in self.asked:
            self.asked.add(names)
            return Reading(None, None, None)
        known = tuple(one.summary for one in self.tables.values())
        shown = {name: self.study(name) for name in (names or ("a",)) if name in self.tables}
        return Reading(Studies(known, shown), 0.1, None)

    def study(self, name: str) -> Study:
        return Study(table=self.tables[name], intermediate={}, reasons={})


class KnownImportances:
    """Knows those of every study."""

    def known(self, study: StudySummary) -> Importances:
        """Return them."""
        return Importances({"kind": 0.9, "rate": 0.1}, study.complete)


@pytest.fixture
def reader() -> Reader:
    return Reader()


def opened(reader: Reader, **given: str) -> TuningDocument:
    arguments = {name: [value.encode()] for name, value in given.items()}
    request = PageRequest(arguments=arguments, system="light")
    return TuningDocument(Document(), request, reader, KnownImportances())


def test_the_newest_study_is_shown_with_its_most_important_parameters(reader: Reader) -> None:
    page = opened(reader)
    assert (page.x.value, page.y.value, page.studies.value) == ("kind", "rate", [])
    assert page.bridge.query == ""
    assert page.bridge.state == "live"


def test_another_study_is_chosen_and_stays_chosen_until_it_is_read(reader: Reader) -> None:
    page = opened(reader)
    page.studies.value = ["b"]
    assert page.choice.studies == ("b",)
    page.tick()
    assert page.choice.studies == ("b",)
    assert 'class="chosen"' in page.texts["studies_table"].text
    assert page.bridge.query == "studies=b"
    assert page.notes == ()


def test_what_the_viewer_chose_stays_and_what_does_not_exist_is_said(reader: Reader) -> None:
    page = opened(reader, studies="a,gone", x="rate", y="speed")
    page.tick()
    assert (page.x.value, page.y.value) == ("rate", "kind")
    assert "There is no study gone." in page.texts["notices"].text
    assert "no parameter speed" in page.texts["notices"].text
    page.x.value = "kind"
    assert page.bridge.query.startswith("studies=a&x=kind")


def test_a_wrong_filter_is_said_in_the_place_of_the_table(reader: Reader) -> None:
    page = opened(reader)
    page.where.value = "speed < <b>1"
    assert "&lt;b&gt;1" in page.texts["trials_table"].text or "no &#x27;speed" in page.texts["trials_table"].text


def test_the_bar_of_a_trial_that_runs_grows(reader: Reader) -> None:
    ended = reader.tables["a"]
    end, state = ended.end.copy(), ended.state.copy()
    end[4], state[4] = np.nan, 3
    running: StudyTable = replace(ended, end=end, state=state, summary=replace(ended.summary, running=1))
    reader.tables["a"] = running
    page = opened(reader)
    page.bridge.in_view = "*"
    before = page.timeline.source.data["end"][4]
    for _ in range(TIMELINE_TICKS):
        page.tick()
    assert page.timeline.source.data["end"][4] > before
    assert page.timeline.source.data["state"][4] == "running"


def test_plots_of_parameters_say_that_there_is_none_yet(reader: Reader) -> None:
    reader.tables["a"] = replace(reader.tables["a"], parameters={})
    page = opened(reader)
    for name in ("slice", "rank", "contour", "parallel"):
        assert "no trial is complete yet" in page.texts[f"{name}_title"].text
