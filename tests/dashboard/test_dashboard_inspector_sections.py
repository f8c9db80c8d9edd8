"""Each section of the inspector makes the cards of what a version has, and says in words what is lacking."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bokeh.core.validation.check import check_integrity
from bokeh.document import Document
from bokeh.events import ButtonClick
from bokeh.models.layouts import Column, LayoutDOM
from bokeh.models.plots import Plot
from bokeh.models.widgets.markups import Div

from dashboard.inspector import sections
from dashboard.inspector.catalogue import Catalogue, Version
from dashboard.inspector.choice import Choice
from dashboard.inspector.page import InspectorDocument, Sources
from dashboard.inspector.sections import Details, Shown
from dashboard.inspector.version_details import LoadedDetails
from dashboard.inspector.version_loader import LoadRequest, LoadState
from dashboard.inspector.weights_reader import Database
from dashboard.palette import DARK, LIGHT, Palette
from dashboard.polled_reader import Reading
from dashboard.service import PageRequest
from learning.tracking.learning_curve import Curve
from models.explain.summary import Summary
from models.importance import Importance
from models.networks.training_epochs import TrainingEpoch
from models.structure import Coefficients, Forest, Layer, Structure, Tree, TreeNode, Weights, ahead
from topics.records import HORIZONS

SPLIT = TreeNode(feature=0, threshold=0.5, left=1, right=2, gain=2.0, rows=9.0)
TREE = Tree.of([SPLIT, TreeNode(value=-0.1, rows=4.0), TreeNode(value=0.1, rows=5.0)])
LINEAR = Structure(
    coefficients=[Coefficients.of("of the mean", ahead(HORIZONS), ["a", "b"], np.arange(8.0).reshape(4, 2) - 3)]
)
BOOSTED = Structure(
    forests=[Forest(output=f"mean, {one}", inputs=["a", "b"], trees=[TREE, TREE]) for one in ahead(HORIZONS)]
)
NETWORK = Structure(
    facts={"parameters": "6"},
    layers=[
        Layer(name="window", kind="the last bars", takes=[], shape=[64, 14]),
        Layer(name="head", kind="Linear", takes=["window"], shape=[8], parameters=6),
    ],
    weights=[Weights(name="head.weight", shape=[2, 3], mean=0.0, deviation=1.0, edges=[-1.0, 0.0, 1.0], counts=[2, 4])],
)
EPOCHS = [
    TrainingEpoch(epoch=number, weights={"head.weight": [-2.0, -1.0, 0.0, 1.0, 2.0]}, gradients={"head.weight": moved})
    for number, moved in ((1, [-0.2, -0.1, 0.0, 0.1, 0.2]), (2, [0.0] * 5))
]
SUMMARY = Summary(
    symbol="BTCUSDT",
    interval="1m",
    horizon=15,
    newest=120_000,
    times=[0, 60_000, 120_000],
    inputs=["a", "window"],
    sizes=[0.2, 0.1],
    values=[[1.0, None, 2.0], [None, None, None]],
    parts=[[0.1, 0.2, 0.3], [0.1, -0.1, 0.1]],
    attention={"encoder": np.full((4, 9, 9), 1 / 9).tolist(), "thinned": np.full((4, 1, 9), 1 / 9).tolist()},
    looked=[("63 to 56 bars back", 0.6), ("the bar's own features", 0.4)],
)
WEIGHTS = Database(
    series=(("BTCUSDT", "1m"),),
    newest=datetime(2025, 6, 2, tzinfo=UTC),
    times=[0.0, 60_000.0],
    weights={"ridge": [0.4, 0.5], "gbm": [0.6, float("nan")]},
    regimes={"calm": {"ridge": 0.45, "gbm": 0.6}, "": {"ridge": 0.5}},
    counts={"calm": 2, "": 1},
)
VERSION = Version(model="gbm", version="new", written=1.0)


@dataclass
class Answers:
    """A loader that knows its answers."""

    answers: dict[LoadRequest, LoadedDetails]
    forgotten: list[LoadRequest] = field(default_factory=list)

    def view(self, question: LoadRequest) -> LoadState:
        answer = self.answers.get(question)
        if answer is None:
            return LoadState(since_s=30.0)
        return LoadState(error=answer.error) if answer.error else LoadState(answer=answer)

    def forget(self, question: LoadRequest) -> None:
        self.forgotten.append(question)


@dataclass
class Read:
    """A reader of a database that has read."""

    value: Database | None
    error: str | None = None

    def view(self, _: object) -> Reading[Database]:
        return Reading(self.value, 0.1, self.error)


def made(
    section: str,
    answers: dict[LoadRequest, LoadedDetails] | None = None,
    *,
    version: Version = VERSION,
    other: Version | None = None,
    database: Read | None = None,
    palette: Palette = LIGHT,
) -> Sequence[LayoutDOM]:
    """Return a section's cards; they are sound to Bokeh."""
    loader: Any = Answers(answers or {})
    read: Any = database or Read(WEIGHTS)
    series = "BTCUSDT 1m" if read.value else None
    choice = Choice(model=version.model, version=version.version, section=section, series=series)
    shown = Shown(choice=choice, version=version, other=other, palette=palette, loader=loader, database=read)
    details = Details(lambda: None)
    cards, _ = sections.of(shown, details)
    result = cards()
    issues = check_integrity({model for card in result for model in card.references()})
    assert [*issues.error, *issues.warning] == []
    return result


def plots(cards: Sequence[LayoutDOM]) -> set[str]:
    return {str(one.name) for one in Column(children=[*cards]).select({"type": Plot})}


def said(cards: Sequence[LayoutDOM]) -> str:
    return " ".join(str(one.text) for one in Column(children=[*cards]).select({"type": Div}))


def structure(value: Structure, version: str = "new") -> dict[LoadRequest, LoadedDetails]:
    return {("structure", "gbm", version): LoadedDetails(structure=value)}


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_what_a_version_consists_of_is_drawn(palette: Palette) -> None:
    assert plots(made("structure", structure(LINEAR), palette=palette)) == {"coefficients"}
    assert plots(made("structure", structure(BOOSTED), palette=palette)) == {"tree", "gains"}
    assert plots(made("structure", structure(NETWORK), palette=palette)) == {"architecture", "weights"}
    key = ("structure", "gbm", "new")
    trained = {key: LoadedDetails(structure=NETWORK, epochs=EPOCHS)}
    by_epoch = {"weights-by-epoch", "gradients-by-epoch", "gradients-by-tensor"}
    assert plots(made("structure", trained, palette=palette)) == {"architecture", "weights", *by_epoch}
    assert "trained before weights and gradients were kept" in said(made("structure", structure(NETWORK)))
    damaged = {key: LoadedDetails(structure=NETWORK, epochs_problem="epochs.json: cannot be read")}
    assert "epochs.json: cannot be read" in said(made("structure", damaged))
    cards = made("structure", structure(Structure(note="a fixed rule")), palette=palette)
    assert plots(cards) == set()
    assert "a fixed rule" in said(cards)


def test_the_tree_is_one_of_the_chosen_horizon() -> None:
    assert "1 of 2, for mean, 15 bars ahead" in said(made("structure", structure(BOOSTED)))


def test_what_is_not_known_yet_and_what_failed_are_told() -> None:
    assert "Loading gbm new, since 30 s. A network or many trees take a while." in said(made("structure"))
    failed = {("structure", "gbm", "new"): LoadedDetails(error="booster.txt: cannot be read")}
    assert 'class="problem">booster.txt: cannot be read' in said(made("structure", failed))
    assert "not walked forward" in said(made("overview"))
    assert "No curve is stored" in said(made("overview"))
    assert "ranks no inputs" in said(made("overview"))
    assert "forecasts by itself" in said(made("weights"))
    assert "Choose a second version" in said(made("compare"))


def test_the_overview_draws_what_lies_beside_the_artifact() -> None:
    curve = Curve({"round 1": [(1, 0.2, 0.3), (2, 0.1, 0.2)], "round 5": [(1, 0.2, 0.3)]})
    known = replace(VERSION, importance=Importance("the gain", {"a": 60.0, "b": 40.0}), curve=curve)
    assert plots(made("overview", version=known)) == {"importance", "curve"}


SUMMARISED: LoadRequest = ("summary", "gbm", "new", "BTCUSDT", "1m", "15")


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_explanations_and_attention_are_drawn(palette: Palette) -> None:
    cards = made("explanations", {SUMMARISED: LoadedDetails(summary=SUMMARY)}, palette=palette)
    assert plots(cards) == {"summary", "sizes", "dependence", "looked", "attention_encoder", "attention_thinned"}
    assert "01 Jan 1970 00:02 UTC" in said(cards), "of which bar it is"


def test_a_model_without_drift_and_a_database_that_is_away_are_told() -> None:
    none = {
        SUMMARISED: LoadedDetails(summary=Summary(symbol="B", interval="1m", horizon=15, newest=0, note="no drift"))
    }
    assert "no drift" in said(made("explanations", none))
    assert "the server is gone" in said(made("explanations", database=Read(None, "the server is gone")))
    combined = replace(VERSION, model="ensemble")
    assert "adds up other models" in said(made("explanations", version=combined))
    assert "the server is gone" in said(made("weights", version=combined, database=Read(None, "the server is gone")))
    assert "No forecast of ensemble new" in said(made("weights", version=combined, database=Read(Database())))


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_an_ensembles_weights_are_drawn(palette: Palette) -> None:
    cards = made("weights", version=replace(VERSION, model="ensemble"), palette=palette)
    assert plots(cards) == {"weights_over_time", "weights_by_regime"}
    assert "<th>unknown</th><td>1</td><td>\u2013</td><td>50.0 %</td>" in said(cards)


def test_two_versions_are_compared() -> None:
    one = replace(VERSION, importance=Importance("the gain", {"a": 60.0, "b": 40.0}))
    other = replace(one, version="old", importance=Importance("the gain", {"b": 100.0}))
    answers = structure(LINEAR) | structure(LINEAR, "old")
    cards = made("compare", answers, version=one, other=other)
    assert plots(cards) == {"importances", "coefficients"}
    assert "coefficients</th><td>8</td><td>8</td>" in said(cards)
    assert "Loading old" in said(made("compare", structure(LINEAR), version=one, other=other))


def test_the_button_drops_what_was_explained() -> None:
    loader: Any = Answers({SUMMARISED: LoadedDetails(summary=SUMMARY)})
    read: Any = Read(WEIGHTS)
    choice = Choice(model="gbm", version="new", section="explanations", series="BTCUSDT 1m")
    shown = Shown(choice=choice, version=VERSION, other=None, palette=LIGHT, loader=loader, database=read)
    details = Details(lambda: None)
    sections.of(shown, details)
    details.anew._trigger_event(ButtonClick(details.anew))
    assert loader.forgotten == [SUMMARISED]


@dataclass
class ReadMeanwhile:
    """A reader of a database that has read the weights after so many answers."""

    after: int
    asked: int = 0

    def view(self, _: object) -> Reading[Database]:
        self.asked += 1
        weights = WEIGHTS if self.asked > self.after else None
        return Reading(weights, 0.1, None)


@pytest.mark.parametrize("after", range(5))
def test_what_is_read_while_cards_are_made_makes_them_anew(tmp_path: Path, after: int) -> None:
    version = Version(model="ensemble", version="new", written=1.0)
    listed: Any = Read(Catalogue({"ensemble": (version,)}))
    sources: Any = Sources(tmp_path, listed, ReadMeanwhile(after), Answers({}))
    asked = {"model": [b"ensemble"], "section": [b"weights"], "series": [b"BTCUSDT 1m"], "horizon": [b"1"]}
    page = InspectorDocument(Document(), PageRequest(arguments=asked, system="light"), sources)
    for _ in range(3):
        page.tick()
    assert plots(page.body.children) == {"weights_over_time", "weights_by_regime"}
