"""Every feature in one table: its name, the function that computes it, where it comes from and when it is known."""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

from features import regimes
from features.indicators import momentum, others, trend, volatility, volume

LONGEST_GAP = 60
"""After more missing intervals than this all indicators begin anew; across fewer, N bars means N bars that traded."""


@dataclass(frozen=True)
class Feature:
    """One function and the columns that it writes.

    `warmup`: bars since the beginning until all columns are known, the current one included. `state`: numbers kept
    between bars besides the history. `reference`: for each column an expression over the series open, high, low, close,
    volume and time that an independent library answers (ta, pandas, numpy); a column's test compares the two. `version`
    changes with the numbers, and so does the fingerprint.
    """

    names: tuple[str, ...]
    function: Callable[..., None]
    warmup: int
    unit: str
    source: str
    parameters: tuple[float, ...] = ()
    state: int = 0
    reference: tuple[str, ...] = ()
    version: int = 1

    @property
    def family(self) -> str:
        """The file that the function lives in."""
        return self.function.__module__.rpartition(".")[2]

    @property
    def definition(self) -> str:
        """The function's docstring: what the columns mean."""
        return inspect.cleandoc(self.function.__doc__ or "")


def _log_return(period: int) -> Feature:
    return Feature(
        (f"log_return_{period}",),
        momentum.log_return,
        warmup=period + 1,
        unit="log return",
        source="standard",
        parameters=(period,),
        reference=(f"np.log(close / close.shift({period}))",),
    )


def _ema_gap(period: int) -> Feature:
    return Feature(
        (f"ema_gap_{period}",),
        trend.ema_gap,
        warmup=period,
        unit="log ratio",
        source="TA-Lib EMA",
        parameters=(period,),
        state=2,
        reference=(f"np.log(close / ta.trend.ema_indicator(close, {period}))",),
    )


def _zscore(period: int) -> Feature:
    rolling = f"close.rolling({period})"
    return Feature(
        (f"zscore_{period}",),
        trend.zscore,
        warmup=period,
        unit="standard deviations",
        source="standard",
        parameters=(period,),
        reference=(f"(close - {rolling}.mean()) / {rolling}.std(ddof=0)",),
    )


def _realised_volatility(period: int) -> Feature:
    return Feature(
        (f"realised_volatility_{period}",),
        volatility.realised_volatility,
        warmup=period + 1,
        unit="log return per bar",
        source="Andersen, Bollerslev, Diebold, Labys (2003)",
        parameters=(period,),
        reference=(f"np.sqrt((np.log(close / close.shift(1)) ** 2).rolling({period}).mean())",),
    )


FEATURES: tuple[Feature, ...] = (
    _log_return(1),
    _log_return(5),
    _log_return(15),
    _log_return(60),
    Feature(
        ("rsi_14",),
        momentum.rsi,
        warmup=15,
        unit="percent",
        source="Wilder (1978); TA-Lib RSI",
        parameters=(14,),
        state=4,
        reference=("ta.momentum.rsi(close, 14)",),
    ),
    Feature(
        ("stochastic_k_14", "stochastic_d_14_3"),
        momentum.stochastic,
        warmup=16,
        unit="percent",
        source="Lane (1984); TA-Lib STOCHF",
        parameters=(14, 3),
        reference=("ta.momentum.stoch(high, low, close, 14, 3)", "ta.momentum.stoch_signal(high, low, close, 14, 3)"),
    ),
    Feature(
        ("williams_r_14",),
        momentum.williams_r,
        warmup=14,
        unit="percent",
        source="Williams (1973); TA-Lib WILLR",
        parameters=(14,),
        reference=("ta.momentum.williams_r(high, low, close, 14)",),
    ),
    Feature(
        ("cci_20",),
        momentum.cci,
        warmup=20,
        unit="1",
        source="Lambert (1980); TA-Lib CCI",
        parameters=(20,),
        reference=("ta.trend.cci(high, low, close, 20)",),
    ),
    Feature(
        ("roc_12",),
        momentum.rate_of_change,
        warmup=13,
        unit="percent",
        source="TA-Lib ROC",
        parameters=(12,),
        reference=("ta.momentum.roc(close, 12)",),
    ),
    _ema_gap(12),
    _ema_gap(26),
    Feature(
        ("macd_12_26", "macd_signal_12_26_9", "macd_histogram_12_26_9"),
        trend.macd,
        warmup=34,
        unit="share of the close",
        source="Appel (1979); TA-Lib MACD, over the close",
        parameters=(12, 26, 9),
        state=7,
        reference=(
            "ta.trend.macd(close) / close",
            "ta.trend.macd_signal(close) / close",
            "ta.trend.macd_diff(close) / close",
        ),
    ),
    Feature(
        ("adx_14", "plus_di_14", "minus_di_14"),
        trend.directional_movement,
        warmup=28,
        unit="percent",
        source="Wilder (1978); TA-Lib ADX, PLUS_DI, MINUS_DI",
        parameters=(14,),
        state=6,
        reference=(
            "ta.trend.adx(high, low, close, 14)",
            "ta.trend.adx_pos(high, low, close, 14)",
            "ta.trend.adx_neg(high, low, close, 14)",
        ),
    ),
    _zscore(60),
    _zscore(200),
    Feature(
        ("natr_14",),
        volatility.natr,
        warmup=15,
        unit="percent of the close",
        source="Wilder (1978); TA-Lib NATR",
        parameters=(14,),
        state=2,
        reference=("100 * ta.volatility.average_true_range(high, low, close, 14) / close",),
    ),
    Feature(
        ("bollinger_b_20", "bollinger_width_20"),
        volatility.bollinger,
        warmup=20,
        unit="share of the bands; percent",
        source="Bollinger (1992)",
        parameters=(20, 2.0),
        reference=("ta.volatility.bollinger_pband(close, 20, 2)", "ta.volatility.bollinger_wband(close, 20, 2)"),
    ),
    Feature(
        ("donchian_position_20",),
        volatility.donchian_position,
        warmup=20,
        unit="share of the channel",
        source="Donchian (1960)",
        parameters=(20,),
        reference=("ta.volatility.donchian_channel_pband(high, low, close, 20)",),
    ),
    _realised_volatility(15),
    _realised_volatility(60),
    Feature(
        ("parkinson_60",),
        volatility.parkinson,
        warmup=60,
        unit="log return per bar",
        source="Parkinson (1980)",
        parameters=(60,),
        reference=("np.sqrt((np.log(high / low) ** 2).rolling(60).mean() / (4 * np.log(2)))",),
    ),
    Feature(
        ("obv_change_20",),
        volume.obv_change,
        warmup=21,
        unit="share of the volume",
        source="Granville (1963), differenced and scaled",
        parameters=(20,),
        reference=("(np.sign(close.diff()) * volume).rolling(20).sum() / volume.rolling(20).sum()",),
    ),
    Feature(
        ("mfi_14",),
        volume.money_flow_index,
        warmup=15,
        unit="percent",
        source="Quong and Soudack (1989); TA-Lib MFI",
        parameters=(14,),
        reference=("ta.volume.money_flow_index(high, low, close, volume, 14)",),
    ),
    Feature(
        ("vwap_gap_20",),
        volume.vwap_gap,
        warmup=20,
        unit="log ratio",
        source="standard",
        parameters=(20,),
        reference=("np.log(close / ta.volume.volume_weighted_average_price(high, low, close, volume, 20))",),
    ),
    Feature(
        ("volume_ratio_20",),
        volume.volume_ratio,
        warmup=20,
        unit="1",
        source="standard",
        parameters=(20,),
        reference=("volume / volume.rolling(20).mean()",),
    ),
    Feature(
        ("day_sine", "day_cosine", "week_sine", "week_cosine"),
        others.cyclic_time,
        warmup=1,
        unit="1",
        source="standard",
        reference=(
            "np.sin(2 * np.pi * (time.dt.hour * 60 + time.dt.minute) / 1440)",
            "np.cos(2 * np.pi * (time.dt.hour * 60 + time.dt.minute) / 1440)",
            "np.sin(2 * np.pi * (time.dt.day_of_week * 1440 + time.dt.hour * 60 + time.dt.minute) / 10080)",
            "np.cos(2 * np.pi * (time.dt.day_of_week * 1440 + time.dt.hour * 60 + time.dt.minute) / 10080)",
        ),
    ),
    Feature(
        ("missing_before",),
        others.missing_before,
        warmup=2,
        unit="intervals",
        source="our own",
        reference=("time.diff() / pd.Timedelta('1min') - 1",),
    ),
    Feature(
        regimes.COLUMNS,
        regimes.regime_posterior,
        warmup=regimes.LONG + 1,
        unit="probability",
        source="Hamilton (1989), filtered",
        state=len(regimes.STATES),
    ),
)

NAMES: tuple[str, ...] = tuple(name for feature in FEATURES for name in feature.names)
"""The columns of a feature frame, in order."""
HISTORY = max(feature.warmup for feature in FEATURES)
"""Bars kept in a state: no window reaches further back than its warm-up."""


def _fingerprint() -> str:
    rows = [
        (feature.names, feature.function.__name__, feature.parameters, feature.warmup, feature.version)
        for feature in FEATURES
    ]
    return hashlib.sha256(repr((LONGEST_GAP, rows)).encode()).hexdigest()[:12]


FINGERPRINT = _fingerprint()
"""Names this definition: two sides with the same fingerprint mean the same by each column."""
