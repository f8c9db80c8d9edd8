"""Common base of the two networks: inputs, training, forecasts by dropout passes, and the head that learns online."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats, Ints
from models import artifact, ewma_volatility, search_space
from models.contributions import Parts, Row
from models.forecaster import Forecaster, Forecasts
from models.inputs import columns
from models.intervals.distribution import NORMAL, prob_up, sample_quantiles
from models.json_type import JSON
from models.labels import mature, targets
from models.networks import online_head, training_epochs
from models.networks.online_head import Head, HeadOutput
from models.networks.training_epochs import TrainingEpoch
from models.networks.windows import CHANNELS, STATIC, WINDOW, Scaling, seen, windows
from models.search_space import NONE, Choice, Parameters, Real, Space
from models.structure import Structure
from topics.records import HORIZONS
from topics.units import interval_ms

if TYPE_CHECKING:
    import torch

    from models.networks.nn.net import Net
    from models.networks.nn.training import Sample

Flags = npt.NDArray[np.bool_]

WEIGHTS = "model.safetensors"
CLIP = 4.0
"""Labels are clipped to +- this many standard deviations."""
HELD_OUT = 0.1
"""The last part of the fit's time, for early stopping."""
DAILY = 0.6
"""The daily step's rate, as a part of the training's."""
STEPS = 128
"""Into which the path from the baseline to a network's inputs is cut, where a forecast is explained."""
QUEUED = 3
"""Numbers of a waiting row before its embedding: time, price, sigma."""


@dataclass(frozen=True)
class _Walked:
    """One step over n rows: the new state, sigma [n], and the passes' output."""

    state: JSON
    sigma: Floats
    output: HeadOutput


class Network(Forecaster):
    """ln(P(t+h) / P(t)) / (sigma sqrt(h)) of all horizons by one network, pooled over symbols.

    Forecasts come from `PASSES` networks thinned by dropout. The scale holds what they predict of the variance and how
    far their means are apart. Per symbol the last layer takes one step a UTC day on the labels that have matured.
    Training uses the GPU where there is one; forecasts always the CPU, so that a symbol's forecasts, and the
    evaluation's and the stream's, do not depend on which machine has one.
    """

    carried_state: ClassVar[tuple[str, ...]] = ("volatility",)
    WIDTH: ClassVar[int] = 32
    PASSES: ClassVar[int] = 30
    EPOCHS: ClassVar[int] = 6
    ROWS: ClassVar[int] = 100_000
    JUDGED: ClassVar[int] = 20_000
    MIN_ROWS: ClassVar[int] = 500
    BATCH: ClassVar[int] = 512
    RATE: ClassVar[float] = 2e-3
    DECAY: ClassVar[float] = 1e-2
    DROPOUT: ClassVar[float] = 0.2
    CORRELATION: ClassVar[float] = 0.2
    NOISE: ClassVar[float] = 0.05
    PATIENCE: ClassVar[int] = 2
    SPACE: ClassVar[Space] = {
        "width": Choice((32, 64, 96), WIDTH),
        "dropout": Real(0.1, 0.4, DROPOUT),
        "rate": Real(3e-4, 2e-3, RATE, log=True),
        "decay": Real(1e-4, 1e-1, DECAY, log=True),
        "correlation": Real(0.0, 1.0, CORRELATION),
    }

    explained_rows: ClassVar[int] = 60
    iterative: ClassVar[bool] = True
    resumable: ClassVar[bool] = True

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.width = int(self.tuned.get("width", self.WIDTH))
        columns(STATIC, names, self.name)
        self.channels, self.static = Scaling.none(CHANNELS), Scaling.none(STATIC)
        self.head = np.zeros((2 * len(horizons), self.width + 1))
        self.rates = np.zeros_like(self.head)
        self.residual_quantiles = np.array(
            [NORMAL] * len(horizons)
        )  # [H, Q], of the held-out residuals in units of the scale
        self.seed = 0
        self._weights = b""  # safetensors
        self._epochs: list[TrainingEpoch] = []
        self._ready: tuple[Net, torch.Tensor] | None = None

    @abstractmethod
    def _build(self, *sizes: int) -> "Net":
        """Return the net of window, channels, static columns, outputs and width, drawn from torch's seed."""

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Train on the first part of the time span, stop by the rest, purged of labels that reach across.

        Raises ValueError if there are too few labelled rows, or the training diverges.
        """
        from models.networks.nn import training  # noqa: PLC0415 - torch takes seconds to import
        from models.networks.nn.determinism import deterministic  # noqa: PLC0415 - likewise

        self.fingerprint, self.seed = frames[0].fingerprint, seed
        sigmas = [ewma_volatility.step(ewma_volatility.initial(), frame)[1] for frame in frames]
        self.channels, self.static = (
            Scaling.of(
                names, np.concatenate([seen(f, names, self.names, s) for f, s in zip(frames, sigmas, strict=True)])
            )
            for names in (CHANNELS, STATIC)
        )
        sample, time, ends = self._sample(frames, sigmas)
        split = np.quantile(time, 1 - HELD_OUT) if len(time) else 0.0
        first, last = np.flatnonzero(ends < split)[:: self.thin], np.flatnonzero(time >= split)
        if min(len(first), len(last)) < self.MIN_ROWS // 5 or len(first) < self.MIN_ROWS:
            raise ValueError(
                f"{len(first)} rows to train {self.name!r} on and {len(last)} held out: at least {self.MIN_ROWS} and "
                f"{self.MIN_ROWS // 5} are needed; give more bars"
            )
        last = last[:: -(-len(last) // self.JUDGED)]
        config = training.TrainingConfig(
            epochs=self.EPOCHS,
            rows=self.ROWS,
            batch=self.BATCH,
            rate=self._rate,
            decay=float(self.tuned.get("decay", self.DECAY)),
            dropout=self._dropout,
            noise=self.NOISE,
            patience=self.PATIENCE,
            correlation=float(self.tuned.get("correlation", self.CORRELATION)),
        )
        with deterministic():
            taught = training.train(
                self._drawn(seed),
                sample,
                first,
                last,
                config,
                seed,
                self._identity(sample, seed),
                self.progress,
                self.checkpoint,
            )
            # A day's gradient counts as much as in the training: of longer horizons, whose labels overlap, less.
            share = np.tile(sample.weights / sample.weights.sum(), 2)[:, None]
            self._take(taught.weights, taught.rates * share * DAILY * self._rate)
        self._epochs = list(taught.history)
        self._set_apart(sample, last)

    @property
    def _rate(self) -> float:
        return float(self.tuned.get("rate", self.RATE))

    @property
    def _dropout(self) -> float:
        return float(self.tuned.get("dropout", self.DROPOUT))

    def _take(self, weights: "dict[str, torch.Tensor]", rates: Floats) -> None:
        """Keep the weights of the best epoch."""
        from safetensors.torch import save  # noqa: PLC0415 - imports torch

        self._weights, self._ready = save(weights), None
        body, bias = weights["head.weight"].double().numpy(), weights["head.bias"].double().numpy()
        self.head, self.rates = np.column_stack([body, bias]), rates

    def _set_apart(self, sample: "Sample", rows: npt.NDArray[np.int64]) -> None:
        """Fit the shrinkage of the means on the held-out rows, and their residuals' quantiles."""
        views = np.lib.stride_tricks.sliding_window_view(sample.channels, WINDOW, axis=0).transpose(0, 2, 1)
        parts = []
        for part in np.array_split(rows, -(-len(rows) // 2_000)):
            waiting = (
                np.full((len(part), len(self.horizons)), len(part)),
                np.full((len(part), len(self.horizons)), np.nan),
            )
            embedded = self._embed(views[sample.end[part] - WINDOW + 1], sample.static[part])
            head = Head.fresh(self.head)
            time = np.zeros(len(part), dtype=np.int64)
            parts.append(online_head.advance(head, self.rates, time, embedded[:, 0], *waiting, embedded[:, 1:])[1])
        mean, variance, epistemic = (
            np.concatenate([getattr(head_output, name) for head_output in parts])
            for name in ("mean", "variance", "epistemic")
        )
        y = sample.y[rows]
        for column in range(len(self.horizons)):
            known = ~np.isnan(y[:, column])
            size = float((mean[known, column] ** 2).sum())
            slope = float((mean[known, column] * y[known, column]).sum()) / size if size > 0 else 0.0
            shrink = min(max(slope, 0.0), 1.0)
            self.head[column] *= shrink
            scale = np.sqrt(variance[:, column] + shrink**2 * epistemic[:, column])
            self.residual_quantiles[column] = sample_quantiles((y[:, column] - shrink * mean[:, column]) / scale)

    def _sample(self, frames: list[FeatureFrame], sigmas: list[Floats]) -> tuple["Sample", Ints, Ints]:
        """Return the rows with an input and a label, their times [n] and when their last label is known [n]."""
        from models.networks.nn.training import Sample  # noqa: PLC0415 - torch takes seconds to import

        channels, ends, static, labels, times, known_at = [], [], [], [], [], []
        start = 0
        for frame, sigma in zip(frames, sigmas, strict=True):
            bars, row, known = self._inputs(frame, sigma)
            y = targets(frame, sigma, self.horizons, CLIP)
            rows = np.flatnonzero(known & ~np.isnan(y).all(axis=1))
            channels += [np.zeros((WINDOW - 1, bars.shape[1]), dtype=np.float32), bars.astype(np.float32)]
            ends.append(start + WINDOW - 1 + rows)
            start += WINDOW - 1 + len(bars)
            static.append(row[rows].astype(np.float32))
            labels.append(y[rows])
            times.append(frame.time[rows])
            known_at.append(frame.time[rows] + max(self.horizons) * interval_ms(frame.interval))
        weights = 1.0 / np.sqrt(np.array(self.horizons, dtype=np.float64))
        sample = Sample(
            channels=np.concatenate(channels),
            end=np.concatenate(ends),
            static=np.concatenate(static),
            y=np.concatenate(labels),
            weights=weights,
        )
        return sample, np.concatenate(times), np.concatenate(known_at)

    def _inputs(self, frame: FeatureFrame, sigma: Floats) -> tuple[Floats, Floats, Flags]:
        """Return the bars' channels [n, C + 1], the rows' columns [n, S + 1], and which rows can be forecast [n]."""
        bars, row = (part.apply(seen(frame, part.names, self.names, sigma)) for part in (self.channels, self.static))
        known: Flags = ~np.isnan(sigma) & (row[:, -1] >= 0.5)
        return bars, row, known

    def initial(self) -> JSON:
        """Return the initial state of a symbol: the fitted head, and no rows."""
        head = Head.fresh(self.head).to_json()
        return {"volatility": ewma_volatility.initial(), "bars": [], "head": head, "queue": []}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the window that ends with it and from labels that have matured by its close."""
        walked = self._walk(state, frame)
        unit = walked.sigma[:, None] * np.sqrt(self.horizons)
        width = np.sqrt(walked.output.variance + walked.output.epistemic)
        quantiles = walked.output.mean[:, :, None] + width[:, :, None] * self.residual_quantiles
        mean = walked.output.mean
        return walked.state, Forecasts(mean * unit, width * unit, quantiles * unit[:, :, None], prob_up(mean / width))

    def epistemic_uncertainty(self, state: JSON, frame: FeatureFrame) -> Floats:
        """Return the standard deviation of the passes' means in log return [n, H]: their part of `scale`."""
        walked = self._walk(state, frame)
        return np.sqrt(walked.output.epistemic) * walked.sigma[:, None] * np.sqrt(self.horizons)

    def attention(self, state: JSON, frame: FeatureFrame) -> dict[str, Floats]:
        """Return the attention weights of the frame's last row, `encoder` and `thinned`, in the shapes of the net."""
        from models.networks.nn import attribution  # noqa: PLC0415 - torch takes seconds to import
        from models.networks.nn.determinism import one_thread  # noqa: PLC0415 - likewise

        window, row = self._last(state, frame)
        with one_thread():
            encoder, thinned = attribution.attention_weights(self._net()[0], window, row)
        return {"encoder": encoder, "thinned": thinned}

    def contributions(self, row: Row) -> Parts:
        """Return what each input added to the mean of the passes by integrated gradients (Sundararajan et al. 2017).

        The head is the one after the last day's step.
        """
        from models.networks.nn import attribution  # noqa: PLC0415 - torch takes seconds to import
        from models.networks.nn.determinism import one_thread  # noqa: PLC0415 - likewise

        window, static = self._last(row.before, row.frame)
        net, masks = self._net()
        weights = np.array(row.after["head"]["weights"])[row.column]
        with one_thread():
            of_window, of_static, _, base = attribution.integrated(net, weights, window, static, STEPS, masks[1:])
        names = [*STATIC, "share known"] + [f"{name} over {WINDOW} bars" for name in (*CHANNELS, "share known")]
        values = static.tolist() + [float("nan")] * of_window.shape[1]
        parts = of_static.tolist() + of_window.sum(axis=0).tolist()
        maps = {name: result.tolist() for name, result in self.attention(row.before, row.frame).items()}
        return Parts(base=base, names=names, values=values, parts=parts, attention=maps)

    def structure(self) -> Structure:
        """Return the layers of the fitted net, what takes what, and the distributions of their weights."""
        from models.networks.nn import architecture  # noqa: PLC0415 - torch takes seconds to import
        from models.networks.nn.determinism import one_thread  # noqa: PLC0415 - likewise

        net = self._net()[0]
        with one_thread():
            layers = architecture.layers(net, (WINDOW, len(CHANNELS) + 1), len(STATIC) + 1)
        count = sum(layer.parameters for layer in layers)
        facts = {"parameters": f"{count:,}", "width": str(self.width), "window": f"{WINDOW} bars"}
        return Structure(facts=facts, layers=layers, weights=architecture.weights(net))

    def attributions(self, state: JSON, frame: FeatureFrame, horizon: int, steps: int = 32) -> JSON:
        """Return the contributions to the mean of the frame's last row without dropout, in log return: integrated
        gradients.

        `window` [64, C + 1] over bars and `channels`, `static` [S + 1] by name; the last of each is the share of known
        columns. Their sum is `mean` - `baseline`, the means there and for inputs of zero. The head is the state's, from
        before the frame's rows. Raises ValueError if the horizon is not one of the model's.
        """
        from models.networks.nn import attribution  # noqa: PLC0415 - torch takes seconds to import
        from models.networks.nn.determinism import one_thread  # noqa: PLC0415 - likewise

        if horizon not in self.horizons:
            raise ValueError(
                f"model {self.name!r} has no horizon {horizon}; it has {', '.join(map(str, self.horizons))}"
            )
        weights = Head.from_json(state["head"]).weights[self.horizons.index(horizon)]
        window, row = self._last(state, frame)
        with one_thread():
            parts = attribution.integrated(self._net()[0], weights, window, row, steps)
        unit = float(ewma_volatility.step(state["volatility"], frame)[1][-1]) * float(np.sqrt(horizon))
        of_window, of_static, mean, baseline = parts
        return {
            "channels": (*CHANNELS, "known"),
            "window": of_window * unit,
            "static": dict(zip((*STATIC, "known"), (of_static * unit).tolist(), strict=True)),
            "mean": mean * unit,
            "baseline": baseline * unit,
        }

    def _last(self, state: JSON, frame: FeatureFrame) -> tuple[Floats, Floats]:
        """Return the window [64, C + 1] and the columns [S + 1] of the frame's last row."""
        _, sigma = ewma_volatility.step(state["volatility"], frame)
        bars, row, _ = self._inputs(frame, sigma)
        return windows(self._joined(state, bars), 1)[0], row[-1]

    def _joined(self, state: JSON, bars: Floats) -> Floats:
        return np.concatenate([np.array(state["bars"], dtype=np.float64).reshape(-1, bars.shape[1]), bars])

    def _walk(self, state: JSON, frame: FeatureFrame) -> _Walked:
        scale, sigma = ewma_volatility.step(state["volatility"], frame)
        bars, row, known = self._inputs(frame, sigma)
        joined = self._joined(state, bars)
        embedded = self._embed(windows(joined, len(frame)), row)
        queue = np.array(state["queue"], dtype=np.float64).reshape(-1, QUEUED + self.width)
        new = np.column_stack([frame.time, frame.close, np.where(known, sigma, np.nan), embedded[:, 0]])
        queue = np.concatenate([queue, new])
        time, price, seen_embedding = queue[:, 0].astype(np.int64), queue[:, 1].copy(), queue[:, QUEUED:].copy()
        spans = [horizon * interval_ms(frame.interval) for horizon in self.horizons]
        at, y = np.empty((len(queue), len(spans)), dtype=np.int64), np.empty((len(queue), len(spans)))
        for column, (horizon, span) in enumerate(zip(self.horizons, spans, strict=True)):
            at[:, column], realised = mature(time, price, span, frame.time, frame.close)
            y[:, column] = np.clip(realised / (queue[:, 2] * np.sqrt(horizon)), -CLIP, CLIP)
        head = Head.from_json(state["head"])
        head, head_output = online_head.advance(head, self.rates, frame.time, seen_embedding, at, y, embedded[:, 1:])
        keep = int(np.searchsorted(time, time[-1] - max(spans), side="right"))
        new_state = {
            "volatility": scale,
            "bars": joined[-(WINDOW - 1) :].tolist(),
            "head": head.to_json(),
            "queue": queue[keep:].tolist(),
        }
        unknown = np.where(known, 1.0, np.nan)
        head_output = HeadOutput(
            head_output.mean * unknown[:, None],
            head_output.variance * unknown[:, None],
            head_output.epistemic * unknown[:, None],
        )
        return _Walked(new_state, sigma, head_output)

    def _embed(self, seen_windows: Floats, row: Floats) -> Floats:
        """Return the embeddings [n, 1 + PASSES, D], the first without dropout and rounded, as it waits in the state."""
        import torch  # noqa: PLC0415 - takes seconds

        from models.networks.nn import mc_dropout  # noqa: PLC0415 - imports torch
        from models.networks.nn.determinism import one_thread  # noqa: PLC0415 - likewise

        with one_thread(), torch.inference_mode():
            embedded = mc_dropout.embeddings(*self._net(), seen_windows, row)
        embedded[:, 0] = np.round(embedded[:, 0], 4) + 0.0
        return embedded

    def _net(self) -> "tuple[Net, torch.Tensor]":
        """Return the fitted net and its masks."""
        if self._ready is None:
            from safetensors.torch import load  # noqa: PLC0415 - imports torch

            from models.networks.nn import mc_dropout  # noqa: PLC0415 - likewise

            if not self._weights:
                raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
            net = self._drawn(self.seed)
            net.load_state_dict(load(self._weights))
            net.eval()
            self._ready = net, mc_dropout.drawn(net, self.PASSES, self._dropout, self.seed)
        return self._ready

    def _drawn(self, seed: int) -> "Net":
        """Return a net with the seed's first weights; torch's global random state is unchanged."""
        import torch  # noqa: PLC0415 - takes seconds

        with torch.inference_mode(mode=False), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._build(WINDOW, len(CHANNELS) + 1, len(STATIC) + 1, 2 * len(self.horizons), self.width)

    def _training_config(self) -> JSON:
        """Return further constants on which the results depend."""
        names = (
            "WIDTH",
            "PASSES",
            "EPOCHS",
            "ROWS",
            "JUDGED",
            "BATCH",
            "RATE",
            "DECAY",
            "DROPOUT",
            "NOISE",
            "PATIENCE",
        )
        return {name.lower(): getattr(self, name) for name in names}

    def _identity(self, sample: "Sample", seed: int) -> str:
        """Return the hash of all that a training depends on: its checkpoint is valid for no other."""
        arrays = (sample.channels, sample.end, sample.static, sample.y)
        data = "".join(artifact.sha256(np.ascontiguousarray(array).tobytes()) for array in arrays)
        config = {**self._training_config(), "model": self.name, "horizons": self.horizons, "seed": seed}
        return artifact.version(config | search_space.noted(self.tuned), data.encode())

    def _definition(self) -> JSON:
        return super()._definition() | {
            "half_life": ewma_volatility.RULE,
            "course": self._training_config(),
            "seed": self.seed,
            "channels": self.channels.to_json(),
            "static": self.static.to_json(),
            "head": self.head.tolist(),
            "rates": self.rates.tolist(),
            "spread": self.residual_quantiles.tolist(),
            "weights_sha256": artifact.sha256(self._weights),
            **search_space.noted(self.tuned),
        }

    def save(self, folder: Path) -> None:
        """Write model.json, the weights as safetensors, and what they were like after each epoch."""
        artifact.write(folder, self._definition())
        (folder / WEIGHTS).write_bytes(self._weights)
        training_epochs.write(folder, self._epochs)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is not this model's, or was changed."""
        definition = artifact.read(folder, cls.name)
        weights = artifact.read_bytes(folder / WEIGHTS, definition["weights_sha256"])
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), search_space.of(definition))
        model.fingerprint, model.seed, model._weights = definition["fingerprint"], definition["seed"], weights
        model.channels, model.static = (Scaling.from_json(definition[part]) for part in ("channels", "static"))
        model.head, model.rates, model.residual_quantiles = (
            np.array(definition[part]) for part in ("head", "rates", "spread")
        )
        return model
