"""The sections of the inspector: each says what it depends on, and makes its cards when that has changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models.layouts import LayoutDOM, Row
from bokeh.models.widgets.buttons import Button
from bokeh.models.widgets.inputs import Select, Spinner
from psycopg import Connection

from dashboard.html import title
from dashboard.inspector import (
    coefficients_view,
    compare_view,
    epochs_view,
    explanations_view,
    network_view,
    overview,
    page_text,
    tree_view,
    weights_view,
)
from dashboard.inspector.cards import card
from dashboard.inspector.catalogue import Version
from dashboard.inspector.choice import Choice
from dashboard.inspector.version_loader import LoadState, VersionLoader
from dashboard.inspector.weights_reader import Database, WeightsKey
from dashboard.palette import Palette
from dashboard.polled_reader import PolledReader
from dashboard.site_page import look
from models.registry.zoo import COMBINERS
from models.structure import Structure, ahead
from topics.records import HORIZONS

Cards = Callable[[], Sequence[LayoutDOM]]
Section = tuple[Cards, object]
"""What makes the cards, and what they depend on besides the choosers: while both are equal, they are not made anew."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is to be shown, and where it comes from."""

    choice: Choice
    version: Version
    other: Version | None
    palette: Palette
    loader: VersionLoader
    database: PolledReader[Connection, WeightsKey | None, Database]

    def structure(self, version: Version) -> LoadState:
        """Return how far a version's structure is."""
        return self.loader.view(("structure", version.model, version.version))

    @property
    def names(self) -> tuple[str, str]:
        """Return the two versions' names."""
        return self.version.version, self.other.version if self.other else ""


class Details:
    """The choosers inside the cards; `redraw` is called when one was used."""

    def __init__(self, redraw: Callable[[], None]) -> None:
        self.curve, self.output, self.input, self.tensor = (
            Select(title=title, width=220, **look()) for title in ("Curve", "Output", "Input", "Tensor")
        )
        self.anew = Button(label="Explain the newest bars", width=190, **look())
        self.tree = Spinner(title="Tree", low=1, value=1, step=1, width=90, **look())
        self._filling = False

        def used(attr: str, old: object, new: object) -> None:  # noqa: ARG001 - Bokeh asks for this signature
            if not self._filling:
                redraw()

        self.anew.on_click(self._again)
        self.forget: Callable[[], None] = lambda: None
        """What the button drops, so that it is made anew."""

        for widget in (self.curve, self.output, self.input, self.tensor, self.tree):
            widget.on_change("value", used)

    def _again(self) -> None:
        self.forget()

    @property
    def values(self) -> tuple[object, ...]:
        """Return what is chosen."""
        return self.curve.value, self.output.value, self.input.value, self.tensor.value, self.tree.value

    def fill(self, select: Select, options: Sequence[str]) -> str:
        """Give a chooser its options, and return which is chosen: the one before if it is still there."""
        self._filling = True
        value = select.value if select.value in options else options[0]
        given: list[Any] = [*options]
        select.options, select.value = given, value
        self._filling = False
        return value

    def limit(self, most: int) -> int:
        """Return the number of the tree, of so many."""
        self._filling = True
        self.tree.high = max(most, 1)
        self.tree.value = min(max(int(self.tree.value or 1), 1), max(most, 1))
        self._filling = False
        return int(self.tree.value)


def of(shown: Shown, details: Details) -> Section:
    """Return the section that is open."""
    return SECTIONS[shown.choice.section](shown, details)


def _overview(shown: Shown, details: Details) -> Section:
    def made() -> Sequence[LayoutDOM]:
        units = list(shown.version.curve.points) if shown.version.curve else []
        if len(units) < 2:
            return overview.overview(shown.version, None, shown.palette)
        unit = details.fill(details.curve, units)
        return [*overview.overview(shown.version, unit, shown.palette), card(details.curve)]

    return made, ()


def _structure(shown: Shown, details: Details) -> Section:
    work = shown.structure(shown.version)
    beside = shown.structure(shown.other) if shown.other else LoadState()

    def made() -> Sequence[LayoutDOM]:
        if work.answer is None or work.answer.structure is None:
            return [card(page_text.progress(work, f"Loading {shown.version.model} {shown.version.version}"), wide=True)]
        other = beside.answer.structure if beside.answer else None
        made = parts(work.answer.structure, other, shown, details)
        if work.answer.structure.layers:
            epochs = work.answer.epochs
            chosen = details.fill(details.tensor, list(epochs[0].weights)) if epochs else ""
            made.append(epochs_view.card_of(epochs, work.answer.epochs_problem, details.tensor, chosen, shown.palette))
        return made

    return made, (_state(work), _state(beside))


def parts(structure: Structure, other: Structure | None, shown: Shown, details: Details) -> list[LayoutDOM]:
    """Return the cards of whatever a model has: coefficients, trees or layers."""
    palette, made = shown.palette, list[LayoutDOM]()
    if structure.note or structure.facts:
        facts = page_text.facts(structure.facts) if structure.facts else ""
        made.append(card(title("What it is"), page_text.sentence(structure.note), facts, wide=not structure.layers))
    place = HORIZONS.index(shown.choice.horizon)
    for number, table in enumerate(structure.coefficients):
        beside = other.coefficients[number] if other and number < len(other.coefficients) else None
        made.append(coefficients_view.coefficients(table, beside, place, shown.names, palette))
    if structure.forests:
        horizon = ahead([shown.choice.horizon])[0]
        forests = {forest.output: forest for forest in structure.forests if forest.output.endswith(horizon)}
        forest = forests[details.fill(details.output, list(forests))]
        number = details.limit(len(forest.trees))
        choosers = Row(children=[details.output, details.tree], spacing=12, styles={"flex-wrap": "wrap"})
        made += [
            card(choosers, wide=True),
            tree_view.tree_card(forest, number, palette),
            tree_view.gain_card(forest, palette),
            tree_view.forest_card(structure.forests, forest),
        ]
    if structure.layers:
        made += [
            network_view.graph(structure.layers, palette),
            network_view.distributions(structure.weights, palette),
            network_view.layer_table(structure.layers),
        ]
    return made


def _explanations(shown: Shown, details: Details) -> Section:
    choice, version = shown.choice, shown.version
    if version.model in COMBINERS:
        text = f"{version.model} adds up other models' forecasts by weights: the section Weights shows them."
        return (lambda: [card(title("Explanations"), page_text.sentence(text), wide=True)]), ()
    if choice.series is None:
        reading = shown.database.view(None)
        text = "No features are stored yet: explanations are of stored bars."
        why = reading.error or (text if reading.value else "Reading the database.")
        return (lambda: [card(title("Explanations"), page_text.sentence(why), wide=True)]), why
    symbol, interval = choice.series.rsplit(" ", 1)
    question = ("summary", version.model, version.version, symbol, interval, str(choice.horizon))
    work = shown.loader.view(question)
    details.forget = lambda: shown.loader.forget(question)

    def made() -> Sequence[LayoutDOM]:
        summary = work.answer.summary if work.answer else None
        if summary is None:
            what = f"Explaining forecasts of {version.model} {version.version} for {symbol}"
            return [card(page_text.progress(work, what), wide=True)]
        attention = explanations_view.attention_cards(summary, shown.palette)
        if summary.note:
            return [card(title("Explanations"), page_text.sentence(summary.note), wide=True), *attention]
        name = details.fill(details.input, summary.inputs)
        return [
            explanations_view.summary_card(summary, shown.palette),
            explanations_view.size_card(summary, shown.palette, details.anew),
            card(details.input, explanations_view.dependence_card(summary, name, shown.palette)),
            *attention,
        ]

    return made, _state(work)


def _weights(shown: Shown, details: Details) -> Section:  # noqa: ARG001 - all sections are alike
    choice, version = shown.choice, shown.version
    if version.model not in COMBINERS:
        text = f"{version.model} forecasts by itself: only combinations ({', '.join(COMBINERS)}) have weights."
        return (lambda: [card(title("Weights"), page_text.sentence(text), wide=True)]), ()
    key = None
    if choice.series is not None:
        symbol, interval = choice.series.rsplit(" ", 1)
        key = WeightsKey(
            model=version.model, version=version.version, symbol=symbol, interval=interval, horizon=choice.horizon
        )
    reading = shown.database.view(key)

    def made() -> Sequence[LayoutDOM]:
        found = reading.value
        if found is None or not found.times:
            text = f"No forecast of {version.model} {version.version} for {choice.series or 'any symbol'} is stored."
            why = reading.error or (text if found is not None else "Reading the database.")
            return [card(title("Weights"), page_text.sentence(why), wide=True)]
        unit = f"{choice.series}, {ahead([choice.horizon])[0]}"
        return [
            weights_view.over_time(found, unit, shown.palette),
            weights_view.by_regime(found, unit, shown.palette),
        ]

    newest = reading.value.newest if reading.value else None
    return made, (newest, reading.value is None, reading.error)


def _compare(shown: Shown, details: Details) -> Section:  # noqa: ARG001 - likewise
    if shown.other is None:
        text = "Choose a second version in Compare with: both are shown side by side."
        return (lambda: [card(title("Compare"), page_text.sentence(text), wide=True)]), ()
    other = shown.other
    works = shown.structure(shown.version), shown.structure(other)

    def made() -> Sequence[LayoutDOM]:
        cards = compare_view.compare(shown.version, other, shown.palette)
        structures = [work.answer.structure for work in works if work.answer and work.answer.structure]
        if len(structures) < 2:
            names = zip(works, (shown.version, other), strict=True)
            text = "".join(
                page_text.progress(work, f"Loading {one.version}") for work, one in names if work.answer is None
            )
            return [*cards, card(title("Size"), text)]
        cards.append(compare_view.sizes(structures[0], structures[1], shown.names))
        place = HORIZONS.index(shown.choice.horizon)
        for one, beside in zip(structures[0].coefficients, structures[1].coefficients, strict=False):
            cards.append(coefficients_view.coefficients(one, beside, place, shown.names, shown.palette))
        return cards

    return made, tuple(map(_state, works))


def _state(work: LoadState) -> tuple[object, ...]:
    """Return what of a work is shown."""
    since = None if work.since_s is None or work.answer else int(work.since_s)
    return id(work.answer) if work.answer else None, since, work.error


SECTIONS: dict[str, Callable[[Shown, Details], Section]] = {
    "overview": _overview,
    "structure": _structure,
    "explanations": _explanations,
    "weights": _weights,
    "compare": _compare,
}
