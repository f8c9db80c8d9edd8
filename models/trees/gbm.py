"""LightGBM: one booster whose outputs are, for every horizon, the mean and all quantiles of the standardised return."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats
from models import artifact, ewma_volatility, least_squares, search_space
from models.contributions import Parts, Row
from models.ewma_volatility import Walk
from models.forecaster import Forecaster, Forecasts
from models.importance import GAIN, Importance
from models.inputs import scale_free, usable
from models.intervals.distribution import NORMAL, prob_up
from models.json_type import JSON
from models.labels import targets
from models.outlier_inputs import InputRange
from models.search_space import NONE, Integer, Parameters, Real, Space
from models.structure import Forest, Structure, ahead
from models.trees import multi_output, tree_records
from models.trees.compiled import Trees
from models.trees.lightgbm_import import lightgbm
from models.trees.lightgbm_parameters import trees
from topics.records import HORIZONS, QUANTILES
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]

BOOSTER = "booster.txt"
CLIP = 4.0
"""Targets are clipped to +- this many standard deviations."""
LEFT_OUT = ("week_sine", "week_cosine")
"""A sample's few weeks are too short to learn weekday effects."""
ROWS = 80_000
"""The most training rows: of more, every second, third ... is used."""
HELD_OUT = 0.2
"""The last part of the fit's time, on which the booster's outputs are shrunk and centred."""
BOOSTER_SPACE: Space = {
    **trees(multi_output.PARAMETERS),
    # The pilots' rates are for 120 to 250 trees; for so few they are higher. Each round costs time at every bar.
    "learning_rate": Real(0.02, 0.12, multi_output.PARAMETERS["learning_rate"], log=True),
    "rounds": Integer(20, 80, multi_output.ROUNDS, log=True),
}


class GBM(Forecaster):
    """Quantiles and means of ln(P(t+h) / P(t)) / (sigma sqrt(h)), pooled over symbols, for all horizons at once.

    The output is base + shrinkage * (the trees' output), each quantile moved to its level on the held-out end of the
    sample. `scale` is what a normal distribution with the forecast's 5 to 95 % range would have.
    """

    name: ClassVar[str] = "gbm"
    carried_state: ClassVar[tuple[str, ...]] = ewma_volatility.STATE
    SPACE: ClassVar[Space] = {**BOOSTER_SPACE, "clip": search_space.CLIP, "half_life": search_space.HALF_LIFE}
    iterative: ClassVar[bool] = True

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.inputs = tuple(name for name in usable(names) if name not in LEFT_OUT)
        self.shift = np.zeros((len(horizons), 1 + len(QUANTILES)))  # [H, 1 + Q], mean first, in units of sigma sqrt(h)
        self.shrinkage = np.zeros((len(horizons), 1 + len(QUANTILES)))
        self.split = 0  # epoch ms: the trees saw no label at or after it
        self.ordinary = InputRange.none(len(self.inputs))
        self._booster: lightgbm.Booster | None = None
        self._trees: Trees | None = None
        self._columns = [names.index(name) for name in self.inputs]

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Train on the first part of the time span, shrink and centre on the rest, purged of labels that reach across.

        Raises ValueError if there are too few labelled rows.
        """
        self.fingerprint = frames[0].fingerprint
        self.ordinary = InputRange.none(len(self.inputs))
        parts = [self._rows(frame) for frame in frames]
        time, x, y, ends = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        self.split = int(np.quantile(time, 1 - HELD_OUT)) if len(time) else 0
        first, last = ends < self.split, time >= self.split
        if min(first.sum(), last.sum()) < multi_output.MIN_ROWS:
            raise ValueError(
                f"{int(first.sum())} rows to train {self.name!r} on and {int(last.sum())} held out: "
                f"at least {multi_output.MIN_ROWS} of each are needed; give more bars"
            )
        every = -(-int(first.sum()) // ROWS) * self.thin
        base = multi_output.base(y[first], NORMAL)
        own = {name: value for name, value in self.tuned.items() if name in BOOSTER_SPACE}
        recency = least_squares.recency(
            time[first][::every], time.max(), search_space.half_life(self.tuned.get("half_life", "none"))
        )
        self._booster = multi_output.train(
            x[first][::every],
            y[first][::every],
            self.horizons,
            base,
            seed,
            own,
            recency,
            self.thin,
            self.progress,
            (x[last], y[last]),
        )
        self._trees = Trees.of(self._booster)
        self.ordinary = InputRange.of(x[first])
        output = self._trees.predict(x[last]).reshape(-1, *base.shape)
        self.shrinkage, self.shift = multi_output.fit_shrinkage(output, y[last], base)

    def _rows(self, frame: FeatureFrame) -> tuple[Floats, Floats, Floats, Floats]:
        """Return time [n], inputs [n, F], targets [n, H] and when the last is known [n], of rows with any."""
        _, walk = ewma_volatility.walk(ewma_volatility.initial(), frame)
        y = targets(frame, walk.sigma, self.horizons, float(self.tuned.get("clip", CLIP)))
        x, known = self._inputs(frame, walk)
        rows = known & ~np.isnan(y).all(axis=1)
        ends = frame.time + max(self.horizons) * interval_ms(frame.interval)
        return frame.time[rows].astype(np.float64), x[rows], y[rows], ends[rows].astype(np.float64)

    def seen(self, frame: FeatureFrame, walk: Walk) -> Floats:
        """Return the inputs [n, F]."""
        x = scale_free(frame, self._columns, self.inputs, walk.sigma)
        return self.ordinary.seen(x, frame.time, walk.home, interval_ms(frame.interval))

    def _inputs(self, frame: FeatureFrame, walk: Walk) -> tuple[Floats, Flags]:
        """Return the inputs [n, F], and which rows know their volatility and at least half of the inputs."""
        x = self.seen(frame, walk)
        return x, ~np.isnan(walk.sigma) & (np.isnan(x).mean(axis=1) <= 0.5)

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return ewma_volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and the volatility at its close."""
        if self._trees is None:
            raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
        state, walk = ewma_volatility.walk(state, frame)
        x, known = self._inputs(frame, walk)
        output = self._trees.predict(x).reshape(-1, *self.shift.shape)
        standard = self.shift + self.shrinkage * output
        standard[~known] = np.nan
        quantiles = np.sort(standard[:, :, 1:], axis=2)  # monotone rearrangement (Chernozhukov et al. 2010)
        width = np.maximum((quantiles[:, :, -1] - quantiles[:, :, 0]) / (NORMAL[-1] - NORMAL[0]), 0.01)
        unit = walk.sigma[:, None] * np.sqrt(self.horizons)
        mean = standard[:, :, 0]
        return state, Forecasts(mean * unit, width * unit, quantiles * unit[:, :, None], prob_up(mean / width))

    def booster_text(self) -> str:
        """Return the booster in LightGBM's text format, empty before the fit."""
        return "" if self._booster is None else self._booster.model_to_string()

    def importance(self) -> Importance | None:
        """Return each input's share of the total gain in training, None before the fit."""
        return (
            None
            if self._booster is None
            else Importance.of(GAIN, self.inputs, self._booster.feature_importance("gain"))
        )

    def structure(self) -> Structure:
        """Return the trees of each output: of every horizon the mean and the quantiles."""
        trees = [] if self._booster is None else tree_records.of_lightgbm(self._booster)
        names = ["mean", *(f"quantile {100 * level:.0f} %" for level in QUANTILES)]
        outputs = [f"{name}, {horizon}" for horizon in ahead(self.horizons) for name in names]
        count = len(outputs)  # a round adds a tree to each
        return Structure(
            forests=[
                Forest(output=output, inputs=list(self.inputs), trees=trees[place::count])
                for place, output in enumerate(outputs)
            ]
        )

    def contributions(self, row: Row) -> Parts:
        """Return what each input added to the mean, by exact SHAP values."""
        x = self.seen(row.frame, row.walk)
        booster = lightgbm.Booster(model_str=self.booster_text())
        result = np.asarray(booster.predict(x, pred_contrib=True, num_threads=1), dtype=np.float64)
        # One block of F + 1 an output: of each horizon first the mean, then the quantiles.
        of_mean = result.reshape(len(self.horizons), 1 + len(QUANTILES), -1)[row.column, 0]
        shrink, shift = float(self.shrinkage[row.column, 0]), float(self.shift[row.column, 0])
        base = shift + shrink * float(of_mean[-1])
        return Parts(
            base=base, names=self.inputs, values=x[0].tolist(), parts=(shrink * of_mean[:-1]).tolist(), attention={}
        )

    def _definition(self) -> JSON:
        return super()._definition() | {
            "half_life": ewma_volatility.RULE,
            "split": self.split,
            "shift": self.shift.tolist(),
            "shrink": self.shrinkage.tolist(),
            "ordinary": self.ordinary.to_json(),
            "booster_sha256": artifact.sha256(self.booster_text().encode()),
            **search_space.noted(self.tuned),
        }

    def save(self, folder: Path) -> None:
        """Write model.json, and the booster in LightGBM's text format."""
        artifact.write(folder, self._definition())
        (folder / BOOSTER).write_text(self.booster_text(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is not this model's, or was changed."""
        definition = artifact.read(folder, cls.name)
        text = artifact.read_text(folder / BOOSTER, definition["booster_sha256"])
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), search_space.of(definition))
        model.fingerprint = definition["fingerprint"]
        model.split = definition["split"]
        model.shift, model.shrinkage = np.array(definition["shift"]), np.array(definition["shrink"])
        if "ordinary" in definition:  # an older artifact has another version, and is refused
            model.ordinary = InputRange.from_json(definition["ordinary"])
        model._booster = lightgbm.Booster(model_str=text)
        model._trees = Trees.of(model._booster)
        return model
