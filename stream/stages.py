"""The pure steps adapted to the shell: input topic, state and outputs of each.

Rows that are not newer than the last folded are skipped: after a crash the previous stage may send outputs again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from features.frame import BarFrame, FeatureFrame
from features.step import FeatureState, FeatureStep
from models.scoring import outcomes
from models.scoring.outcomes import OutcomesState
from models.serving.predictor import Predictor, PredictorState
from stream.stage import Output, Part
from topics.catalog import BARS, DEAD_LETTERS, FEATURES, MODEL_EVENTS, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.codec import encode_one
from topics.records import Bar, DeadLetter, Features, ModelEvent, Prediction
from topics.units import is_time

log = logging.getLogger("foretick")

Row = TypeVar("Row", Bar, Features)
Key = tuple[str, str]
MOST_TOLD = 100
"""The most predictions refused together that are reported one by one."""


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
        """Return the indicators' state; one of another definition is reset."""
        if state is None:
            return self.fold.initial()
        try:
            return FeatureState.loads(state, self.fold.initial())
        except ValueError as error:
            log.warning(
                "%s: %s; the indicators warm up again", key, error, extra={"symbol": key[0], "topic": BARS.name}
            )
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
    """Features of one definition to predictions of all models; those of bars not cut by time are skipped.

    `fold` may be replaced at any time: the next slice uses the versions of the new one.
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
            return f"features of definition {record.fingerprint}; the models have {self.fingerprint}: retrain them"
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
        """Update every model with matured labels, then predict; report which versions begin to serve the symbol."""
        if not is_time(parts[0].records[0].interval):
            return state, []  # the models' labels are a fixed time ahead: see docs/why.md
        rows = increasing(parts, state.last_time)
        if not rows:
            return state, []
        before = state
        state, predictions = self.fold.step(state, FeatureFrame.of(rows))
        return state, [(PREDICTIONS, predictions), *((MODEL_EVENTS, [one]) for one in self._began(before, rows[0]))]

    def _began(self, before: PredictorState, first: Features) -> list[ModelEvent]:
        """Return one event for each champion that is new in the state, or new by this decision.

        It is derived from the state, so that after a crash it is repeated. Of two events of one decision and symbol the
        earlier is valid; a bar's champion is by the latest decision whose event is not later.
        """
        return [
            ModelEvent(
                model=version.model.name,
                version=version.version,
                event="serving",
                fingerprint=self.fingerprint,
                time=first.time,
                number=version.number,
                role="champion",
                symbol=first.symbol,
                interval=first.interval,
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
        """Refuse predictions without a target time; all others are scored, whoever made them."""
        if not is_time(record.interval):
            return f"{record.interval} bars are not cut by time: the prediction's target time is unknown"
        return None

    def load(self, key: Key, state: bytes | None) -> OutcomesState:  # noqa: ARG002 - the same for every key
        """Return the pending forecasts."""
        return outcomes.initial() if state is None else OutcomesState.loads(state)

    def dump(self, state: OutcomesState) -> bytes:
        """Return the pending forecasts as bytes."""
        return state.dumps()

    def newest(self, state: OutcomesState) -> int:
        """Return the time of the newest bar, or of the newest prediction of any series."""
        return max([state.last_time, *(one.last_time for one in state.waiting.values())])

    def step(self, state: OutcomesState, parts: Sequence[Part[Prediction]]) -> tuple[OutcomesState, list[Output]]:
        """Score the predictions whose target times these predictions' prices are for."""
        state, matured, refused = outcomes.step_within(state, [record for part in parts for record in part.records])
        dead_letters = _dead_letters(parts, {id(record) for record in refused}) if refused else []
        return state, [(OUTCOMES, matured), (DEAD_LETTERS, dead_letters)]


def _dead_letters(parts: Sequence[Part[Prediction]], refused: set[int]) -> list[DeadLetter]:
    """Return the dead letters of the predictions of these identities, at most `MOST_TOLD`."""
    results = [(part, row, one) for part in parts for row, one in zip(part.rows, part.records, strict=True)]
    results = [item for item in results if id(item[2]) in refused]
    more = f"; so do {len(results) - MOST_TOLD} more" if len(results) > MOST_TOLD else ""
    return [
        DeadLetter(
            topic=PREDICTIONS.name,
            partition=part.partition,
            offset=part.offset,
            reason=f"more forecasts of its series or symbol are pending than allowed ({outcomes.MOST_WAITING}, "
            f"{outcomes.MOST_OF_ALL}): it is not scored{more}",
            value=encode_one(record),
            time=part.timestamp,
            row=row,
        )
        for part, row, record in results[:MOST_TOLD]
    ]
