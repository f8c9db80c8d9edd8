"""Each pure step dressed for the shell: which topic it reads, whose state it keeps, and what it publishes.

Rows that are not newer than what a fold has seen are skipped: after a crash the stage before may send outputs again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from features.frame import BarFrame, FeatureFrame
from features.step import FeatureState, FeatureStep
from models import outcomes
from models.outcomes import OutcomesState
from models.predictor import Predictor, PredictorState
from stream.stage import Output, Part
from topics.catalog import BARS, DEAD_LETTERS, FEATURES, MODEL_EVENTS, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.codec import encode_one
from topics.records import Bar, DeadLetter, Features, ModelEvent, Prediction
from topics.units import is_time

log = logging.getLogger("foretick")

Row = TypeVar("Row", Bar, Features)
Key = tuple[str, str]
MOST_TOLD = 100
"""Predictions refused in one go that are told of one by one."""


def increasing(parts: Sequence[Part[Row]], last_time: int) -> list[Row]:
    """Return the rows that are newer than `last_time` and than each row before them."""
    rows: list[Row] = []
    for part in parts:
        for row in part.records:
            if row.time > last_time:
                rows.append(row)
                last_time = row.time
    skipped = sum(len(part.records) for part in parts) - len(rows)
    if skipped:
        symbol = parts[0].records[0].symbol
        text = "%d rows of %s are not newer than the last folded: skipped"
        log.warning(text, skipped, symbol, extra={"symbol": symbol})
    return rows


@dataclass(frozen=True)
class Indicators:
    """Bars to features and regimes."""

    fold: FeatureStep
    source: Topic = BARS
    name = "features"

    def key(self, record: Bar) -> Key:
        """A bar belongs to its symbol and interval."""
        return record.symbol, record.interval

    def check(self, record: Bar) -> str | None:  # noqa: ARG002 - every bar that could be built can be folded
        """Return None: every bar is usable."""
        return None

    def load(self, key: Key, state: bytes | None) -> FeatureState:
        """Return the indicators' state; one of another definition warms up anew."""
        if state is None:
            return self.fold.initial()
        try:
            return FeatureState.loads(state, self.fold.initial())
        except ValueError as error:
            log.warning("%s: %s; the indicators warm up anew", key, error, extra={"symbol": key[0], "topic": BARS.name})
            return self.fold.initial()

    def dump(self, state: FeatureState) -> bytes:
        """Return the indicators' state as bytes."""
        return state.dumps()

    def newest(self, state: FeatureState) -> int:
        """Return the time of the last bar."""
        return state.last_time

    def step(self, state: FeatureState, parts: Sequence[Part[Bar]]) -> tuple[FeatureState, list[Output]]:
        """Compute the indicators and the regime of each new bar."""
        bars = increasing(parts, state.last_time)
        if not bars:
            return state, []
        state, frame, regimes = self.fold.step(state, BarFrame.of(bars))
        return state, [(FEATURES, frame.records()), (REGIMES, regimes)]


@dataclass
class Predictions:
    """Features of one definition to predictions of all models; those of bars not cut by time are passed over.

    `fold` may be replaced at any time: what is folded next, has the versions of the new one.
    """

    fold: Predictor
    fingerprint: str
    width: int
    name = "predictions"
    source = FEATURES

    def key(self, record: Features) -> Key:
        """A row belongs to its symbol and interval."""
        return record.symbol, record.interval

    def check(self, record: Features) -> str | None:
        """Refuse features of another definition than the models were fitted on."""
        if record.fingerprint != self.fingerprint:
            return f"features of definition {record.fingerprint}; the models know {self.fingerprint}: retrain them"
        if len(record.values) != self.width:
            return f"{len(record.values)} values where definition {record.fingerprint} has {self.width}"
        return None

    def load(self, key: Key, state: bytes | None) -> PredictorState:
        """Return the models' state of a symbol."""
        return self.fold.initial(key[0]) if state is None else PredictorState.loads(state)

    def dump(self, state: PredictorState) -> bytes:
        """Return the models' state as bytes."""
        return state.dumps()

    def newest(self, state: PredictorState) -> int:
        """Return the time of the last row."""
        return state.last_time

    def step(self, state: PredictorState, parts: Sequence[Part[Features]]) -> tuple[PredictorState, list[Output]]:
        """Let every model learn from what matured, then predict; tell which versions begin to serve the symbol."""
        if not is_time(parts[0].records[0].interval):
            return state, []  # the models' labels lie a time ahead: see docs/why.md
        rows = increasing(parts, state.last_time)
        if not rows:
            return state, []
        before = state
        state, predictions = self.fold.step(state, FeatureFrame.of(rows))
        return state, [(PREDICTIONS, predictions), *((MODEL_EVENTS, [one]) for one in self._began(before, rows[0]))]

    def _began(self, before: PredictorState, first: Features) -> list[ModelEvent]:
        """Return one event for each champion of which the state before knew not, or not by this decision.

        The state tells, so that after a crash it is told again. Of two events of one decision and symbol the earlier is
        right; a bar's champion is by the latest decision whose event is not later.
        """
        return [
            ModelEvent(
                version.model.name,
                version.version,
                "serving",
                self.fingerprint,
                first.time,
                version.number,
                "champion",
                first.symbol,
                first.interval,
            )
            for version in self.fold.served
            if version.role == "champion"
            and (before.serving.get(version.model.name), before.numbers.get(version.model.name))
            != (version.version, version.number)
        ]


@dataclass(frozen=True)
class Outcomes:
    """Predictions to outcomes, once they have matured."""

    name = "outcomes"
    source = PREDICTIONS

    def key(self, record: Prediction) -> Key:
        """A prediction belongs to its symbol and interval."""
        return record.symbol, record.interval

    def check(self, record: Prediction) -> str | None:
        """Refuse what no time can be told for to come true; else anybody's prediction is scored."""
        if not is_time(record.interval):
            return f"{record.interval} bars are not cut by time: when the prediction comes true is unknown"
        return None

    def load(self, key: Key, state: bytes | None) -> OutcomesState:  # noqa: ARG002 - the same for every key
        """Return what still waits for its target time."""
        return outcomes.initial() if state is None else OutcomesState.loads(state)

    def dump(self, state: OutcomesState) -> bytes:
        """Return what waits, as bytes."""
        return state.dumps()

    def newest(self, state: OutcomesState) -> int:
        """Return the time of the newest bar, or of the newest prediction of any series."""
        return max([state.last_time, *(one.last_time for one in state.waiting.values())])

    def step(self, state: OutcomesState, parts: Sequence[Part[Prediction]]) -> tuple[OutcomesState, list[Output]]:
        """Score the predictions whose target these predictions' prices are."""
        state, matured, refused = outcomes.step_within(state, [record for part in parts for record in part.records])
        letters = _letters(parts, {id(record) for record in refused}) if refused else []
        return state, [(OUTCOMES, matured), (DEAD_LETTERS, letters)]


def _letters(parts: Sequence[Part[Prediction]], refused: set[int]) -> list[DeadLetter]:
    """Return the dead letters of the predictions of these identities, `MOST_TOLD` at most."""
    found = [(part, row, one) for part in parts for row, one in zip(part.rows, part.records, strict=True)]
    found = [item for item in found if id(item[2]) in refused]
    more = f"; so do {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return [
        DeadLetter(
            PREDICTIONS.name,
            part.partition,
            part.offset,
            f"more forecasts of its series or symbol wait for their bars than may ({outcomes.MOST_WAITING}, "
            f"{outcomes.MOST_OF_ALL}): it is not scored{more}",
            encode_one(record),
            part.timestamp,
            row=row,
        )
        for part, row, record in found[:MOST_TOLD]
    ]
