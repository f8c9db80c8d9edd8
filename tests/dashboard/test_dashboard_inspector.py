"""The inspector's walks, layouts and texts, and how it loads versions without waiting for them."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bokeh.models.sources import ColumnDataSource

from dashboard.html import title
from dashboard.inspector import catalogue, page_text
from dashboard.inspector.catalogue import Catalogue, Version
from dashboard.inspector.choice import Choice, parse, settle
from dashboard.inspector.explanations_view import REACH, ranks, swarm
from dashboard.inspector.graph import Edge, edges, placed, tree_places
from dashboard.inspector.network_view import graph
from dashboard.inspector.staleness import health
from dashboard.inspector.tree_view import gains, tree_card
from dashboard.inspector.version_details import LATEST
from dashboard.inspector.version_loader import LoadRequest, LoadState, VersionLoader
from dashboard.inspector.weights_reader import Database
from dashboard.number_format import DASH
from dashboard.palette import LIGHT
from dashboard.polled_reader import Reading
from learning.runs.step_results import WalkForwardSkill
from models.baselines.naive import Naive
from models.registry import model_registry, provenance
from models.registry.provenance import Provenance
from models.structure import Forest, Layer, Structure, Tree, TreeNode
from settings import Settings

ORIGIN = Provenance(first=0, last=86_400_000, rows=1440, symbols=["BTCUSDT"], data_sha256="ab", fingerprint="f", seed=3)


def layer(name: str, *takes: str) -> Layer:
    return Layer(name=name, kind="Linear", takes=list(takes), shape=[2], parameters=6)


RESIDUAL = (
    layer("x"),
    layer("row"),
    layer("norm", "x", "row"),
    layer("wide", "norm"),
    layer("norm2", "wide", "x", "row"),
    layer("head", "norm2", "x"),
)


def test_a_sum_carried_on_is_one_edge() -> None:
    assert set(edges(RESIDUAL)) == {
        Edge("x", "norm", "direct"),
        Edge("row", "norm", "direct"),
        Edge("norm", "wide", "direct"),
        Edge("wide", "norm2", "direct"),
        Edge("norm", "norm2", "sum"),
        Edge("norm2", "head", "direct"),
        Edge("x", "head", "past"),
    }


def test_a_step_lies_below_all_that_it_takes_and_no_two_lie_on_each_other() -> None:
    late = (*RESIDUAL[:-1], layer("shift"), layer("head", "norm2", "shift"))
    for layers in (RESIDUAL, late):
        places = placed(layers)
        assert all(places[one.name].row > places[name].row for one in layers for name in one.takes)
        assert len({(place.x, place.row) for place in places.values()}) == len(layers)
    assert placed(late)["shift"].row == placed(late)["head"].row - 1, "a parameter lies just above what takes it"
    assert placed(()) == {}


def test_barycentres_leave_no_crossing_that_an_order_avoids() -> None:
    layers = (layer("a"), layer("b"), layer("c"), layer("to c", "c"), layer("to b", "b"), layer("to a", "a"))
    places = placed(layers)
    assert [name for name in ("a", "b", "c") if places[name].x == places[f"to {name}"].x] == ["a", "b", "c"]


SMALL = Tree.of(
    [
        TreeNode(feature=1, threshold=0.5, left=1, right=2, gain=4.0, rows=10.0, unknown_right=True),
        TreeNode(value=-0.1, rows=4.0),
        TreeNode(feature=0, threshold=-1e-35, left=3, right=4, gain=1.0, rows=6.0),
        TreeNode(value=0.2, rows=3.0),
        TreeNode(value=0.3, rows=3.0),
    ]
)
FOREST = Forest(output="mean, 1 bar ahead", inputs=["a", "b"], trees=[SMALL, SMALL])


def test_leaves_lie_one_below_the_other_and_splits_between_theirs() -> None:
    assert tree_places(SMALL) == [(0, 0.75), (1, 0.0), (1, 1.5), (2, 1.0), (2, 2.0)]
    assert tree_places(Tree.of([TreeNode(value=1.0)])) == [(0, 0.0)]


def test_gains_are_summed_over_trees() -> None:
    assert gains(FOREST) == {"b": (8.0, 2), "a": (2.0, 2)}


def drawn(made: Any, name: str) -> list[object]:
    """Return a column of the first source in a card that has it."""
    sources = made.select({"type": ColumnDataSource})
    return next(list(source.data[name]) for source in sources if name in source.data)


def test_a_tree_is_drawn_with_its_thresholds() -> None:
    assert drawn(tree_card(FOREST, 2, LIGHT), "full") == [
        "b ≤ 0.5",
        "\u22120.1",
        "a ≤ 0",
        "0.2",
        "0.3",
    ]


def test_a_network_is_drawn_with_each_step_once() -> None:
    assert drawn(graph(RESIDUAL, LIGHT), "name") == [one.name for one in RESIDUAL]


def test_points_of_one_value_lie_side_by_side() -> None:
    offsets = swarm(np.array([0.0, 0.0, 0.0, 1.0]), 0.0, 1.0)
    assert len(set(offsets[:3].tolist())) == 3
    assert offsets[3] == 0
    crowd = swarm(np.zeros(500), 0.0, 1.0)
    assert np.abs(crowd).max() <= REACH + 1e-9
    assert len(swarm(np.zeros(0), 0.0, 1.0)) == 0


def test_a_rank_is_the_place_among_known_values() -> None:
    assert ranks([3.0, None, 1.0, 3.0]).tolist()[::2] == [1.0, 0.0]
    assert np.isnan(ranks([3.0, None])[1])
    assert np.isnan(ranks([None])).all()


def version(name: str, *, model: str = "gbm", in_service: bool = False) -> Version:
    return Version(model=model, version=name, in_service=in_service, written=1.0)


STORED = Catalogue(
    {
        "gbm": (version("new"), version("old", in_service=True)),
        "naive": (version("n", model="naive", in_service=True),),
    }
)


def test_the_page_chooses_what_is_in_service() -> None:
    choice, notes = settle(Choice(), STORED, ("BTCUSDT 1m",))
    assert (choice.model, choice.version, choice.series, notes) == ("gbm", "old", "BTCUSDT 1m", ())


def test_what_is_not_stored_is_told() -> None:
    asked, notes = parse({"model": "gbm", "version": "gone", "other": "lost", "section": "roof", "horizon": "7"})
    assert len(notes) == 2
    choice, notes = settle(asked, STORED, ("BTCUSDT 1m",))
    assert (choice.version, choice.other) == ("old", "")
    assert [note.split(":")[0] for note in notes] == [
        "Version gone of gbm is not stored",
        "Version lost of gbm is not stored",
    ]
    _, notes = settle(Choice(model="xgboost", series="DOGE 1m"), STORED, ("BTCUSDT 1m",))
    assert len(notes) == 2


def test_a_choice_survives_the_address() -> None:
    choice = Choice(model="gbm", version="new", other="old", section="compare", horizon=60, series="BTCUSDT 1m")
    assert parse({name: value for name, value in choice.query().items() if value})[0] == choice


def test_the_catalogue_reads_what_lies_beside_an_artifact(tmp_path: Path) -> None:
    assert catalogue.read(tmp_path / "none", {}) == Catalogue({})
    naive = Naive()
    folder = model_registry.store(tmp_path, naive, ORIGIN)
    WalkForwardSkill(0.01, 0.002, 3).save(folder)
    known: catalogue.Known = {}
    found = catalogue.read(tmp_path, known)
    assert "no models in service" in found.problem
    (one,) = found.models["naive"]
    assert (one.version, one.in_service, one.provenance, one.importance, one.curve) == (
        naive.version,
        False,
        ORIGIN,
        None,
        None,
    )
    assert page_text.skill(one.skill) == "+1.00 % ± 0.20 % over 3 days"
    model_registry.serve(tmp_path, {"naive": naive.version})
    served = catalogue.read(tmp_path, known).find("naive", naive.version)
    assert served is not None
    assert catalogue.read(tmp_path, known).find("naive", naive.version) is served, (
        "what has not changed is not read again"
    )
    draft = folder / ".draft"
    draft.write_text("{")
    draft.replace(folder / provenance.FILE)
    broken = catalogue.read(tmp_path, known).models["naive"][0]
    assert broken.in_service
    assert "not a version's provenance" in broken.problem


def test_unknown_is_a_dash_and_data_are_escaped() -> None:
    assert page_text.number(float("nan")) == page_text.number(None) == page_text.skill(None) == DASH
    assert page_text.skill(WalkForwardSkill(None, None, 0)) == DASH
    assert "<b>" not in page_text.table(["<b>"], [["<b>", "<b>"]]) + title("<b>", "<b>", {"<b>": "red"})
    assert "<b>" not in page_text.facts({"<b>": "<b>"}) + page_text.sentence("<b>") + page_text.progress(
        LoadState(error="<b>"), ""
    )


KNOWN = Reading(Database(), 1.0, None)


@pytest.mark.parametrize(
    ("reading", "database", "kind", "words"),
    [
        (Reading(None, None, None), KNOWN, "connecting", "Reading"),
        (Reading(None, None, "away"), KNOWN, "unreachable", "away"),
        (Reading(Catalogue({}), 0.1, None), KNOWN, "empty", "No model"),
        (Reading(STORED, 0.1, None), KNOWN, "live", "models"),
        (Reading(STORED, 0.1, None), Reading(None, None, None), "live", "models"),
        (Reading(STORED, 16.0, None), KNOWN, "stale", "16 s ago"),
        (Reading(STORED, 0.1, None), Reading(None, None, "No database."), "stale", "what is stored there."),
        (Reading(STORED, 0.1, None), Reading(Database(), 40.0, "No database."), "stale", "is 40 s old"),
        (Reading(STORED, 0.1, None), Reading(Database(), 40.0, None), "stale", "Nothing was read for 40 s"),
    ],
)
def test_the_badge_never_calls_old_or_failed_readings_up_to_date(
    reading: Reading[Catalogue], database: Reading[Database], kind: str, words: str
) -> None:
    found = health(reading, database, Path("models"))
    assert found.kind == kind
    assert words in found.detail


def waited(loader: VersionLoader, question: LoadRequest) -> LoadState:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        work = loader.view(question)
        if work.answer or work.error:
            return work
        time.sleep(0.02)
    raise AssertionError(question)


def test_a_version_is_loaded_once_by_a_process_and_its_death_is_told(tmp_path: Path) -> None:
    code = (
        "import msgspec, os, sys\n"
        "open(sys.argv[1], 'a').write('x')\n"
        "os.abort() if sys.argv[2] == 'crash' else None\n"
        "sys.exit('no such thing') if sys.argv[2] == 'leave' else None\n"
        "sys.stdout.buffer.write(msgspec.msgpack.encode({'structure': {'note': sys.argv[2]}}))"
    )
    loader = VersionLoader(Settings(home=tmp_path), (sys.executable, "-c", code))
    tally = str(tmp_path / "tally")
    assert loader.view((tally, "first")) == LoadState(), "who asks does not wait"
    loader.start()
    try:
        work = waited(loader, (tally, "first"))
        assert work.answer is not None
        assert work.answer.structure == Structure(note="first")
        assert waited(loader, (tally, "first")).answer is work.answer
        assert Path(tally).read_text() == "x"
        assert "SIGABRT" in waited(loader, (tally, "crash")).error
        assert "code 1: no such thing" in waited(loader, (tally, "leave")).error
    finally:
        loader.stop()
    assert not loader.alive


def test_a_stop_ends_what_is_being_loaded(tmp_path: Path) -> None:
    loader = VersionLoader(Settings(home=tmp_path), (sys.executable, "-c", "import time; time.sleep(60)"))
    loader.view(("slow",))
    loader.start()
    while loader.view(("slow",)).since_s is None:
        time.sleep(0.01)
    began = time.monotonic()
    loader.stop()
    assert time.monotonic() - began < 30
    assert json.dumps(page_text.progress(LoadState(since_s=3.2), "Loading")).count("3 s") == 1


def test_the_newest_bar_is_before_a_time_that_exists() -> None:
    assert datetime.fromtimestamp(LATEST / 1000, UTC).year == 9999
