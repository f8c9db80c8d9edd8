"""The networks' inputs: a few scale-free numbers of each of the last bars, and more of the current one."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from features.frame import FeatureFrame, Floats
from models.inputs import scale_free
from models.json_type import JSON

WINDOW = 64
"""The window's length in bars, the current one included: bars that traded, with gaps as a channel."""
CHANNELS = (
    "log_return_1",
    "market_return_1",
    "market_gap_1",
    "lead_return_1",
    "lead_gap_1",
    "market_rank",
    "volume_ratio_20",
    "rsi_14",
    "bollinger_b_20",
    "donchian_position_20",
    "vwap_gap_14",
    "natr_14",
    "missing_before",
)
"""Of every bar of the window."""
STATIC = (
    *CHANNELS,
    "log_return_5",
    "log_return_15",
    "log_return_60",
    "ema_12",
    "ema_26",
    "macd_histogram_12_26_9",
    "adx_14",
    "plus_di_14",
    "minus_di_14",
    "zscore_60",
    "zscore_200",
    "aroon_oscillator_25",
    "stochastic_k_14",
    "cci_20",
    "kama_10_2_30",
    "bollinger_width_20",
    "donchian_width_20",
    "keltner_position_10",
    "realised_volatility_15",
    "realised_volatility_60",
    "realised_volatility_240",
    "downside_semivolatility_60",
    "upside_semivolatility_60",
    "jump_share_60",
    "volatility_of_volatility_15_60",
    "parkinson_60",
    "chaikin_money_flow_20",
    "amihud_ratio_20_200",
    "autocorrelation_1_60",
    "variance_ratio_5_60",
    "market_gap_2",
    "market_gap_3",
    "market_gap_5",
    "market_gap_15",
    "market_return_60",
    "market_gap_60",
    "market_gap_240",
    "lead_return_5",
    "lead_gap_2",
    "lead_gap_3",
    "lead_gap_5",
    "lead_gap_15",
    "lead_gap_60",
    "market_beta_240",
    "residual_return_1",
    "market_rank_mean_60",
    "day_sine",
    "day_cosine",
)
"""Of the current bar alone."""
CLIP = 5.0
DECIMALS = 4
"""Inputs are clipped to +- `CLIP` widths and rounded, so that a state in JSON is short."""
TAILS = (0.005, 0.995)
"""Values beyond these quantiles are not used for centre and width."""


@dataclass(frozen=True)
class Scaling:
    """The columns of these names, each from its centre [C] in units of its width [C]."""

    names: tuple[str, ...]
    centre: Floats
    width: Floats

    @classmethod
    def none(cls, names: tuple[str, ...]) -> Self:
        """Return the scaling that changes nothing."""
        return cls(names, np.zeros(len(names)), np.ones(len(names)))

    @classmethod
    def of(cls, names: tuple[str, ...], values: Floats) -> Self:
        """Return mean and standard deviation of values [n, C] within `TAILS`; of a column without any, 0 and 1."""
        centre, width = np.zeros(len(names)), np.ones(len(names))
        for column in range(len(names)):
            known = values[np.isfinite(values[:, column]), column]
            if len(known):
                inner = np.clip(known, *np.quantile(known, TAILS))
                spread = float(inner.std())
                centre[column], width[column] = inner.mean(), spread if spread > 0 else max(float(known.std()), 1e-9)
        return cls(names, centre, width)

    @classmethod
    def from_json(cls, saved: JSON) -> Self:
        """Read the output of `to_json`."""
        return cls(tuple(saved["names"]), np.array(saved["centre"]), np.array(saved["width"]))

    def to_json(self) -> JSON:
        """Return the numbers as plain lists."""
        return {"names": self.names, "centre": self.centre.tolist(), "width": self.width.tolist()}

    def apply(self, values: Floats) -> Floats:
        """Return [n, C + 1]: values [n, C] scaled and clipped, 0 if unknown, and last the share that is known."""
        known = np.isfinite(values)
        scaled = np.clip((np.where(known, values, self.centre) - self.centre) / self.width, -CLIP, CLIP)
        seen: Floats = np.round(np.column_stack([scaled, known.mean(axis=1)]), DECIMALS)
        return seen + 0.0  # no minus zero, which would differ in a comparison of bits


def seen(frame: FeatureFrame, names: tuple[str, ...], all_names: tuple[str, ...], sigma: Floats) -> Floats:
    """Return the scale-free columns [n, C] of these names, before the scaling."""
    return scale_free(frame, [all_names.index(name) for name in names], names, sigma)


def windows(channels: Floats, rows: int) -> Floats:
    """Return the windows [rows, WINDOW, C] that end at each of the last `rows` of channels [m, C], as a view.

    Rows before the first are 0, like unknown values; its share of known columns is 0 too.
    """
    missing = max(0, rows + WINDOW - 1 - len(channels))
    padded = np.concatenate([np.zeros((missing, channels.shape[1])), channels])[-(rows + WINDOW - 1) :]
    result: Floats = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=0).transpose(0, 2, 1)
    return result
