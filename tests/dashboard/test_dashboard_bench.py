"""What `bench.dashboard` makes of what it measured, and how it uses a widget."""

import json

import pytest

from bench.dashboard.__main__ import SCORED, published
from bench.dashboard.figures import by_quarter, delays, growth_percent, quantiles
from bench.dashboard.records import MINUTE_MS, of
from bench.dashboard.sessions import CLICK, uses
from bench.dashboard.tabs import USABLE, shown
from dashboard.site import PAGES, SUBPAGES
from topics import codec
from topics.catalog import OUTCOMES


def test_a_delay_is_from_publication_to_sight_and_of_marks_that_were_published() -> None:
    assert delays({1.0: 10.0, 2.0: 20.0}, [(1.0, 10.5), (3.0, 30.0)]) == [0.5]
    assert quantiles([0.1, 0.2, 0.9]) == {"p50": 0.2, "p95": 0.83, "max": 0.9}
    assert quantiles([]) == {}


def test_memory_is_told_by_quarter_and_growth() -> None:
    assert by_quarter([1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]) == [1.0, 2.0, 3.0, 4.0]
    assert by_quarter([5.0]) == [5.0]
    assert growth_percent(200.0, 210.0) == 5.0


def test_a_forecast_that_came_true_is_published_with_the_first_bar_of_its_minute() -> None:
    time = 100 * MINUTE_MS
    lines = [json.dumps([kind, time, at]) for kind, at in (("bar A", 5.0), ("bar B", 4.0), ("stored A", 6.0))]
    told = published(lines)
    assert told["bar A"] == {time: 5.0}
    assert told["stored A"] == {time: 6.0}
    assert told["scored"] == {time - SCORED * MINUTE_MS: 4.0}


@pytest.mark.parametrize("minute", range(60))
def test_the_records_of_a_minute_are_valid(minute: int) -> None:
    for topic, symbol, rows in of("BTCUSDT", 1_747_526_400_000, minute):
        assert symbol == "BTCUSDT"
        assert codec.decode(codec.encode(rows), topic.record).records == list(rows)
        assert topic != OUTCOMES or len(rows) == 16


def test_every_page_has_a_tab_and_a_time_at_which_it_can_be_used() -> None:
    pages = {page.name for page in PAGES}
    assert USABLE.keys() == pages | {page.name for page in SUBPAGES}
    assert {one.page for one in shown(["A", "B", "C", "D"], 10)} == pages
    assert [one.page for one in shown(["A"], 1)] == ["live"]


@pytest.mark.parametrize(
    ("name", "attributes", "wanted"),
    [
        ("RadioButtonGroup", {"labels": ["a", "b"]}, [("active", 0), ("active", 1), ("active", 0)]),
        ("Select", {"options": ["a", ["b", "B"]]}, [("value", "a"), ("value", "b")]),
        ("MultiChoice", {"options": [["a", "A"]]}, [("value", ["a"])]),
        ("Button", {}, [CLICK]),
        ("Range1d", {"start": 0, "end": 2}, [("start", -1.0), ("end", 1.0)]),
        ("dashboard.bridge.Bridge", {}, [("pressed", "x|1"), ("visited", "?theme=dark")]),
        ("Div", {"text": ""}, []),
    ],
)
def test_a_widget_is_used_in_every_way(name: str, attributes: dict[str, object], wanted: list[object]) -> None:
    model = {"name": name, "id": "p1", "attributes": attributes}
    text = {"name": "Div", "id": "p2", "attributes": {"text": '<button data-press="x|1">'}}
    assert list(uses(model, [model, text]))[: len(wanted)] == wanted
