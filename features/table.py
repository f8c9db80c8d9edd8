"""All features in one table: their names, function, source and warm-up."""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

from features import change_points, regimes
from features.indicators import cross, momentum, others, statistics, trend, volatility, volume

LONGEST_GAP = 60
"""After more missing intervals than this all indicators are reset; across fewer, N bars means N bars that traded."""

UNITS = {
    "price": "level",
    "price change": "change",
    "log return": "movement",
    "percent of price": "movement",
    "percent": "free",
    "share": "free",
    "yes or no": "free",
    "1": "free",
    "deviations": "free",
    "bars": "free",
    "blocks": "free",
    "probability": "free",
    "since the beginning": "history",
    "amount": "amount",
}
"""The units, and how a model uses each (`models.inputs`): a price *level* or *change* relative to the close, a quantity
that grows with volatility (*movement*) over the volatility, a scale-free one (*free*) unchanged. An *amount* (volume,
or derived from it) has the symbol's own scale, and a sum over the *history* depends on when the stream began: neither
is an input."""


@dataclass(frozen=True)
class Feature:
    """One function and the columns that it writes.

    `warmup`: bars since the beginning until all columns are known, the current one included; no function reads further
    back. `state`: numbers kept between bars besides the history. `fitted`: whether it takes fitted parameters.

    For each column, the independent references of its test: `ta`, an expression over the columns of the package
    ta's `add_all_ta_features`; `talib`, an expression over TA-Lib's functions and the series open, high, low, close,
    volume; `reference`, one over a bar's series, `time`, `returns` (log returns), np and pd. Each is "" if there is
    none. `peculiar` describes how ta differs from the definition; the column is then not compared with ta.

    `version` changes with the numbers, and so does the fingerprint.
    """

    names: tuple[str, ...]
    function: Callable[..., None]
    parameters: tuple[float, ...]
    warmup: int
    units: tuple[str, ...]
    source: str
    state: int = 0
    fitted: bool = False
    ta: tuple[str, ...] = ()
    talib: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    peculiar: str = ""
    version: int = 1

    @property
    def family(self) -> str:
        """The file of the function."""
        return self.function.__module__.rpartition(".")[2]

    @property
    def definition(self) -> str:
        """The function's docstring: what the columns mean."""
        return inspect.cleandoc(self.function.__doc__ or "")


# Not wrapped by the formatter: one feature is at most a few lines.
# fmt: off
FEATURES: tuple[Feature, ...] = (
    # trend
    Feature(("sma_12",), trend.sma, (12,), 12, ("price",), "TA-Lib SMA",
        ta=("trend_sma_fast",), talib=("SMA(close, 12)",)),
    Feature(("sma_26",), trend.sma, (26,), 26, ("price",), "TA-Lib SMA",
        ta=("trend_sma_slow",), talib=("SMA(close, 26)",)),
    Feature(("ema_12",), trend.ema_of_close, (12,), 12, ("price",), "TA-Lib EMA", state=2,
        ta=("trend_ema_fast",), talib=("EMA(close, 12)",)),
    Feature(("ema_26",), trend.ema_of_close, (26,), 26, ("price",), "TA-Lib EMA", state=2,
        ta=("trend_ema_slow",), talib=("EMA(close, 26)",)),
    Feature(("macd_12_26", "macd_signal_12_26_9", "macd_histogram_12_26_9"), trend.macd, (12, 26, 9), 34,
        ("price change",) * 3, "Appel (1979)", state=7,
        ta=("trend_macd", "trend_macd_signal", "trend_macd_diff"),
        talib=("MACD(close)[0]", "MACD(close)[1]", "MACD(close)[2]")),
    Feature(("adx_14", "plus_di_14", "minus_di_14"), trend.directional_movement, (14,), 28, ("percent",) * 3,
        "Wilder (1978)", state=7,
        ta=("trend_adx", "trend_adx_pos", "trend_adx_neg"),
        talib=("ADX(high, low, close, 14)", "PLUS_DI(high, low, close, 14)", "MINUS_DI(high, low, close, 14)")),
    Feature(("zscore_60",), trend.zscore, (60,), 60, ("deviations",), "standard",
        reference=("(close - close.rolling(60).mean()) / close.rolling(60).std(ddof=0)",)),
    Feature(("zscore_200",), trend.zscore, (200,), 200, ("deviations",), "standard",
        reference=("(close - close.rolling(200).mean()) / close.rolling(200).std(ddof=0)",)),
    Feature(("vortex_plus_14", "vortex_minus_14", "vortex_difference_14"), trend.vortex, (14,), 15, ("1",) * 3,
        "Botes and Siepman (2010)",
        ta=("trend_vortex_ind_pos", "trend_vortex_ind_neg", "trend_vortex_ind_diff")),
    Feature(("trix_15",), trend.trix, (15,), 44, ("percent of price",), "Hutson (1983)", state=8,
        ta=("trend_trix",), talib=("TRIX(close, 15)",)),
    Feature(("mass_index_9_25",), trend.mass_index, (9, 25), 41, ("1",), "Dorsey (1992)", state=29,
        ta=("trend_mass_index",)),
    Feature(("dpo_20",), trend.detrended_price, (20,), 20, ("price change",), "standard", ta=("trend_dpo",)),
    Feature(("kst", "kst_signal_9", "kst_difference_9"), trend.know_sure_thing, (10, 15, 20, 30, 10, 10, 10, 15, 9), 53,
        ("percent of price",) * 3, "Pring (1992)", state=9,
        ta=("trend_kst", "trend_kst_sig", "trend_kst_diff")),
    Feature(("ichimoku_conversion_9", "ichimoku_base_26", "ichimoku_span_a_9_26", "ichimoku_span_b_52",
        "ichimoku_cloud_a_9_26", "ichimoku_cloud_b_52"), trend.ichimoku, (9, 26, 52), 78, ("price",) * 6,
        "Hosoda (1969)", state=54,
        ta=("trend_ichimoku_conv", "trend_ichimoku_base", "trend_ichimoku_a", "trend_ichimoku_b",
            "trend_visual_ichimoku_a", "trend_visual_ichimoku_b"),
        talib=("MIDPRICE(high, low, 9)", "MIDPRICE(high, low, 26)", "", "MIDPRICE(high, low, 52)", "", "")),
    Feature(("schaff_trend_cycle_23_50_10",), trend.schaff_trend_cycle, (23, 50, 10, 3), 72, ("percent",),
        "Schaff (1999)", state=32,
        ta=("trend_stc",),
        reference=("(lambda smooth, place: smooth(place(smooth(place("
            "close.ewm(span=23, adjust=False).mean() - close.ewm(span=50, adjust=False).mean())))))("
            "lambda v: v.ewm(span=3, adjust=False).mean(), lambda v: (100 * (v - v.rolling(10).min())"
            " / (v.rolling(10).max() - v.rolling(10).min())).ffill())",),
        peculiar="ta lets a place without a range pass, and its averages then weigh the next one more"),
    Feature(("aroon_up_25", "aroon_down_25", "aroon_oscillator_25"), trend.aroon, (25,), 26, ("percent",) * 3,
        "Chande (1995)",
        ta=("trend_aroon_up", "trend_aroon_down", "trend_aroon_ind"),
        talib=("AROON(high, low, 25)[1]", "AROON(high, low, 25)[0]", "AROONOSC(high, low, 25)"),
        peculiar="ta counts from the first of equal highs or lows, not from the latest"),
    Feature(("parabolic_sar", "parabolic_sar_rising", "parabolic_sar_turned_up", "parabolic_sar_turned_down"),
        trend.parabolic_sar, (0.02, 0.2), 2, ("price", "yes or no", "yes or no", "yes or no"), "Wilder (1978)", state=5,
        ta=("trend_psar_up.fillna(trend_psar_down)", "trend_psar_up.notna()", "trend_psar_up_indicator",
            "trend_psar_down_indicator"),
        talib=("SAR(high, low, 0.02, 0.2)", "SAR(high, low, 0.02, 0.2) <= low",
            "np.diff(1.0 * (SAR(high, low, 0.02, 0.2) <= low), prepend=np.nan) > 0",
            "np.diff(1.0 * (SAR(high, low, 0.02, 0.2) <= low), prepend=np.nan) < 0"),
        peculiar="ta looks for a turn before it moves the stop behind the last two bars, and never moves it at a turn"),
    # momentum
    Feature(("log_return_1",), momentum.log_return, (1,), 2, ("log return",), "standard",
        ta=("others_dlr / 100",)),
    Feature(("log_return_5",), momentum.log_return, (5,), 6, ("log return",), "standard",
        reference=("np.log(close / close.shift(5))",)),
    Feature(("log_return_15",), momentum.log_return, (15,), 16, ("log return",), "standard",
        reference=("np.log(close / close.shift(15))",)),
    Feature(("log_return_60",), momentum.log_return, (60,), 61, ("log return",), "standard",
        reference=("np.log(close / close.shift(60))",)),
    Feature(("rsi_14",), momentum.rsi, (14,), 15, ("percent",), "Wilder (1978)", state=4,
        ta=("momentum_rsi",), talib=("RSI(close, 14)",)),
    Feature(("stochastic_k_14", "stochastic_d_14_3"), momentum.stochastic, (14, 3), 16, ("percent",) * 2, "Lane (1984)",
        state=3,        ta=("momentum_stoch", "momentum_stoch_signal"),
        talib=("STOCHF(high, low, close, 14, 3)[0]", "STOCHF(high, low, close, 14, 3)[1]")),
    Feature(("williams_r_14",), momentum.williams_r, (14,), 14, ("percent",), "Williams (1973)",
        ta=("momentum_wr",), talib=("WILLR(high, low, close, 14)",)),
    Feature(("cci_20",), momentum.cci, (20,), 20, ("1",), "Lambert (1980)",
        ta=("trend_cci",), talib=("CCI(high, low, close, 20)",)),
    Feature(("roc_1",), momentum.rate_of_change, (1,), 2, ("percent of price",), "TA-Lib ROC",
        ta=("others_dr",), talib=("ROC(close, 1)",)),
    Feature(("roc_12",), momentum.rate_of_change, (12,), 13, ("percent of price",), "TA-Lib ROC",
        ta=("momentum_roc",), talib=("ROC(close, 12)",)),
    Feature(("stochastic_rsi_14", "stochastic_rsi_k_14_3", "stochastic_rsi_d_14_3_3"), momentum.stochastic_rsi,
        (14, 3, 3), 32, ("percent",) * 3, "Chande and Kroll (1994)", state=24,
        ta=("100 * momentum_stoch_rsi", "100 * momentum_stoch_rsi_k", "100 * momentum_stoch_rsi_d"),
        talib=("STOCHRSI(close, 14, 14, 3)[0]", "STOCHRSI(close, 14, 14, 3)[1]",
            "SMA(STOCHRSI(close, 14, 14, 3)[1], 3)")),
    Feature(("tsi_25_13",), momentum.true_strength, (25, 13), 38, ("percent",), "Blau (1991)", state=8,
        ta=("momentum_tsi",)),
    Feature(("ultimate_oscillator_7_14_28",), momentum.ultimate_oscillator, (7, 14, 28), 29, ("percent",),
        "Williams (1985)", ta=("momentum_uo",), talib=("ULTOSC(high, low, close, 7, 14, 28)",)),
    Feature(("awesome_oscillator_5_34",), momentum.awesome_oscillator, (5, 34), 34, ("price change",),
        "Williams (1998)", ta=("momentum_ao",), talib=("SMA((high + low) / 2, 5) - SMA((high + low) / 2, 34)",)),
    Feature(("ppo_12_26", "ppo_signal_12_26_9", "ppo_histogram_12_26_9"), momentum.percentage_price, (12, 26, 9), 34,
        ("percent of price",) * 3, "Appel (1979), in percent", state=6,
        ta=("momentum_ppo", "momentum_ppo_signal", "momentum_ppo_hist"),
        talib=("PPO(close, 12, 26, 1)", "EMA(PPO(close, 12, 26, 1), 9)",
            "PPO(close, 12, 26, 1) - EMA(PPO(close, 12, 26, 1), 9)")),
    Feature(("pvo_12_26", "pvo_signal_12_26_9", "pvo_histogram_12_26_9"), momentum.percentage_volume, (12, 26, 9), 34,
        ("percent",) * 3, "Appel (1979), of volume", state=6,
        ta=("momentum_pvo", "momentum_pvo_signal", "momentum_pvo_hist"),
        talib=("PPO(volume, 12, 26, 1)", "EMA(PPO(volume, 12, 26, 1), 9)",
            "PPO(volume, 12, 26, 1) - EMA(PPO(volume, 12, 26, 1), 9)")),
    Feature(("kama_10_2_30",), momentum.adaptive_average, (10, 2, 30), 11, ("price",), "Kaufman (1995)", state=2,
        ta=("momentum_kama",), talib=("KAMA(close, 10)",),
        peculiar="ta takes a price that stands still for aimless, and goes on slowly"),
    # volatility
    Feature(("atr_10",), volatility.atr, (10,), 11, ("price change",), "Wilder (1978)", state=2,
        ta=("volatility_atr",), talib=("ATR(high, low, close, 10)",)),
    Feature(("natr_14",), volatility.natr, (14,), 15, ("percent of price",), "Wilder (1978)", state=2,
        talib=("NATR(high, low, close, 14)",)),
    Feature(("bollinger_middle_20", "bollinger_high_20", "bollinger_low_20", "bollinger_width_20", "bollinger_b_20",
        "bollinger_above_20", "bollinger_below_20"), volatility.bollinger, (20, 2.0), 20,
        ("price", "price", "price", "percent of price", "share", "yes or no", "yes or no"), "Bollinger (1992)",
        ta=("volatility_bbm", "volatility_bbh", "volatility_bbl", "volatility_bbw", "volatility_bbp",
            "volatility_bbhi", "volatility_bbli"),
        talib=("BBANDS(close, 20, 2, 2)[1]", "BBANDS(close, 20, 2, 2)[0]", "BBANDS(close, 20, 2, 2)[2]", "", "", "",
            "")),
    Feature(("donchian_low_20", "donchian_high_20", "donchian_middle_20", "donchian_width_20",
        "donchian_position_20"), volatility.donchian, (20,), 20,
        ("price", "price", "price", "percent of price", "share"), "Donchian (1960)",
        ta=("volatility_dcl", "volatility_dch", "volatility_dcm", "volatility_dcw", "volatility_dcp"),
        talib=("MIN(low, 20)", "MAX(high, 20)", "", "", "")),
    Feature(("keltner_middle_10", "keltner_high_10", "keltner_low_10", "keltner_width_10", "keltner_position_10"),
        volatility.keltner, (10,), 10, ("price", "price", "price", "percent of price", "share"), "Keltner (1960)",
        ta=("volatility_kcc", "volatility_kch", "volatility_kcl", "volatility_kcw", "volatility_kcp")),
    Feature(("keltner_above_10", "keltner_below_10"), volatility.keltner_breakout, (10,), 10, ("yes or no",) * 2,
        "Keltner (1960)", ta=("volatility_kchi", "volatility_kcli"), reference=(
            "(close - (high + low + close).rolling(10).mean() / 3 - (high - low).rolling(10).mean() > 1e-12 * close)",
            "((high + low + close).rolling(10).mean() / 3 - (high - low).rolling(10).mean() - close > 1e-12 * close)"),
        peculiar="ta counts a close on a band as beyond it by its rounding error, where all prices are equal"),
    Feature(("ulcer_index_14",), volatility.ulcer_index, (14,), 27, ("percent of price",), "Martin and McCann (1989)",
        state=14, ta=("volatility_ui",)),
    Feature(("realised_volatility_15",), volatility.realised_volatility, (15,), 16, ("log return",),
        "Andersen, Bollerslev, Diebold, Labys (2003)", reference=("np.sqrt((returns ** 2).rolling(15).mean())",)),
    Feature(("realised_volatility_60",), volatility.realised_volatility, (60,), 61, ("log return",),
        "Andersen, Bollerslev, Diebold, Labys (2003)", reference=("np.sqrt((returns ** 2).rolling(60).mean())",)),
    Feature(("realised_volatility_120",), volatility.realised_volatility, (120,), 121, ("log return",),
        "Andersen, Bollerslev, Diebold, Labys (2003)", reference=("np.sqrt((returns ** 2).rolling(120).mean())",)),
    Feature(("realised_volatility_240",), volatility.realised_volatility, (240,), 241, ("log return",),
        "Andersen, Bollerslev, Diebold, Labys (2003)", reference=("np.sqrt((returns ** 2).rolling(240).mean())",)),
    Feature(("downside_semivolatility_60", "upside_semivolatility_60"), volatility.semivolatility, (60,), 61,
        ("log return",) * 2, "Barndorff-Nielsen, Kinnebrock, Shephard (2010)", reference=(
            "np.sqrt((returns.clip(upper=0) ** 2).rolling(60).mean())",
            "np.sqrt((returns.clip(lower=0) ** 2).rolling(60).mean())")),
    Feature(("bipower_60", "jump_share_60"), volatility.bipower, (60,), 62, ("log return", "share"),
        "Barndorff-Nielsen and Shephard (2004)", reference=(
            "np.sqrt(np.pi / 2 * (returns * returns.shift()).abs().rolling(60).mean())",
            "(1 - np.pi / 2 * (returns * returns.shift()).abs().rolling(60).sum() / (returns ** 2).rolling(60).sum())"
            ".clip(lower=0)")),
    Feature(("volatility_of_volatility_15_60",), volatility.volatility_of_volatility, (15, 60), 75, ("log return",),
        "standard", state=60, reference=("np.sqrt((returns ** 2).rolling(15).mean()).rolling(60).std(ddof=0)",)),
    Feature(("parkinson_60",), volatility.parkinson, (60,), 60, ("log return",), "Parkinson (1980)",
        reference=("np.sqrt((np.log(high / low) ** 2).rolling(60).mean() / (4 * np.log(2)))",)),
    Feature(("garman_klass_60",), volatility.garman_klass, (60,), 60, ("log return",), "Garman and Klass (1980)",
        reference=("np.sqrt((np.log(high / low) ** 2 / 2 - (2 * np.log(2) - 1) * np.log(close / open) ** 2)"
            ".rolling(60).mean())",)),
    Feature(("rogers_satchell_60",), volatility.rogers_satchell, (60,), 60, ("log return",),
        "Rogers and Satchell (1991)", reference=(
            "np.sqrt((np.log(high / close) * np.log(high / open) + np.log(low / close) * np.log(low / open))"
            ".rolling(60).mean())",)),
    Feature(("yang_zhang_60",), volatility.yang_zhang, (60,), 61, ("log return",), "Yang and Zhang (2000)", reference=(
        "(lambda k: np.sqrt(np.log(open / close.shift()).rolling(60).var() + k * np.log(close / open).rolling(60).var()"
        " + (1 - k) * (np.log(high / close) * np.log(high / open) + np.log(low / close) * np.log(low / open))"
        ".rolling(60).mean()))(0.34 / (1.34 + 61 / 59))",)),
    # volume
    Feature(("obv",), volume.obv, (), 1, ("since the beginning",), "Granville (1963), TA-Lib OBV", state=1,
        ta=("volume_obv",), talib=("OBV(close, volume)",), peculiar="ta counts an unchanged close as a rise"),
    Feature(("obv_change_20",), volume.obv_change, (20,), 21, ("share",), "Granville (1963), differenced and scaled",
        reference=("(np.sign(close.diff()) * volume).rolling(20).sum() / volume.rolling(20).sum()",)),
    Feature(("accumulation_distribution",), volume.accumulation_distribution, (), 1, ("since the beginning",),
        "Chaikin, TA-Lib AD", state=1, ta=("volume_adi",), talib=("AD(high, low, close, volume)",)),
    Feature(("chaikin_money_flow_20",), volume.chaikin_money_flow, (20,), 20, ("share",), "Chaikin (1996)",
        ta=("volume_cmf",)),
    Feature(("force_index_13",), volume.force_index, (13,), 14, ("amount",), "Elder (1993)", state=2,
        ta=("volume_fi",), talib=("EMA(np.append(0, np.diff(close)) * volume, 13)",)),
    Feature(("ease_of_movement", "ease_of_movement_14"), volume.ease_of_movement, (14,), 15, ("amount",) * 2,
        "Arms (1989)", ta=("volume_em", "volume_sma_em")),
    Feature(("volume_price_trend",), volume.volume_price_trend, (), 2, ("since the beginning",), "standard", state=1,
        ta=("volume_vpt",)),
    Feature(("negative_volume_index",), volume.negative_volume_index, (), 2, ("since the beginning",),
        "Dysart (1936), Fosback (1976)", state=1, ta=("volume_nvi",)),
    Feature(("mfi_14",), volume.money_flow_index, (14,), 15, ("percent",), "Quong and Soudack (1989)",
        ta=("volume_mfi",), talib=("MFI(high, low, close, volume, 14)",),
        peculiar="ta counts a change of the typical price by a rounding error as a rise or fall"),
    Feature(("vwap_14", "vwap_gap_14"), volume.vwap, (14,), 14, ("price", "log return"), "standard",
        ta=("volume_vwap", "np.log(close / volume_vwap)")),
    Feature(("volume_ratio_20",), volume.volume_ratio, (20,), 20, ("1",), "standard",
        reference=("volume / volume.rolling(20).mean()",)),
    Feature(("amihud_60",), volume.amihud, (60,), 61, ("amount",), "Amihud (2002)",
        reference=("(returns.abs() / (close * volume)).rolling(60).mean()",)),
    Feature(("amihud_ratio_20_200",), volume.amihud_ratio, (20, 200), 201, ("1",), "Amihud (2002), scaled", reference=(
        "(lambda a: np.log(a.rolling(20).mean() / a.rolling(200).mean()))(returns.abs() / (close * volume))",)),
    Feature(("buy_imbalance_20",), volume.buy_imbalance, (20,), 20, ("share",), "Chordia, Roll, Subrahmanyam (2002)",
        reference=("2 * buy_volume.rolling(20).sum() / volume.rolling(20).sum() - 1",)),
    Feature(("trade_imbalance_20",), volume.trade_imbalance, (20,), 20, ("share",),
        "Chordia, Roll, Subrahmanyam (2002)",
        reference=("2 * buy_trades.rolling(20).sum() / trades.rolling(20).sum() - 1",)),
    Feature(("trades_ratio_20",), volume.trades_ratio, (20,), 20, ("1",), "standard",
        reference=("trades / trades.rolling(20).mean()",)),
    Feature(("trade_size_ratio_20",), volume.trade_size_ratio, (20,), 20, ("1",), "standard",
        reference=("volume / trades * trades.rolling(20).sum() / volume.rolling(20).sum()",)),
    # statistics
    Feature(("skewness_60", "kurtosis_60"), statistics.shape, (60,), 61, ("1",) * 2,
        "Joanes and Gill (1998), G1 and G2; Pébay (2008)",
        reference=("returns.rolling(60).skew()", "returns.rolling(60).kurt()")),
    Feature(("autocorrelation_1_60", "autocorrelation_5_60"), statistics.autocorrelation, (1, 5, 60), 66, ("1",) * 2,
        "standard", state=6,
        reference=("returns.rolling(60).corr(returns.shift(1))", "returns.rolling(60).corr(returns.shift(5))")),
    Feature(("variance_ratio_5_60",), statistics.variance_ratio, (5, 60), 65, ("1",), "Lo and MacKinlay (1988)",
        state=60,
        reference=("returns.rolling(5).sum().pow(2).rolling(60).sum() / (5 * returns.pow(2).rolling(60).sum())",)),
    # cross
    *(Feature((f"market_return_{k}", f"market_gap_{k}"), cross.market_move, (k,), k + 1, ("log return",) * 2,
        "standard", version=2, reference=(
            f"market_return.rolling({k}).sum()",
            f"np.log(close / close.shift({k})) - market_return.rolling({k}).sum()"))
        for k in (1, 2, 3, 5, 10, 15, 30, 60, 240)),
    *(Feature((f"lead_return_{k}", f"lead_gap_{k}"), cross.lead_move, (k,), k + 1, ("log return",) * 2, "standard",
        reference=(
            f"lead_return.rolling({k}).sum()",
            f"np.log(close / close.shift({k})) - lead_return.rolling({k}).sum()"))
        for k in (1, 2, 3, 5, 15, 60)),
    Feature(("market_beta_240", "residual_return_1", "residual_return_60"), cross.market_model, (240, 60), 241,
        ("1", "log return", "log return"), "Sharpe (1963)", version=2, reference=(
            "returns.rolling(240).cov(market_return) / market_return.rolling(240).var()",
            "returns - returns.rolling(240).cov(market_return) / market_return.rolling(240).var() * market_return",
            "returns.rolling(60).sum() - market_return.rolling(60).sum()"
            " * returns.rolling(240).cov(market_return) / market_return.rolling(240).var()")),
    Feature(("market_rank",), cross.market_rank, (1,), 1, ("share",), "standard", reference=("market_rank",)),
    Feature(("market_rank_mean_60",), cross.market_rank, (60,), 60, ("share",), "standard",
        reference=("market_rank.rolling(60).mean()",)),
    # others
    Feature(("day_sine", "day_cosine", "week_sine", "week_cosine"), others.cyclic_time, (), 1, ("1",) * 4, "standard",
        reference=(
            "np.sin(2 * np.pi * (time.dt.hour * 60 + time.dt.minute) / 1440)",
            "np.cos(2 * np.pi * (time.dt.hour * 60 + time.dt.minute) / 1440)",
            "np.sin(2 * np.pi * (time.dt.day_of_week * 1440 + time.dt.hour * 60 + time.dt.minute) / 10080)",
            "np.cos(2 * np.pi * (time.dt.day_of_week * 1440 + time.dt.hour * 60 + time.dt.minute) / 10080)")),
    Feature(("missing_before",), others.missing_before, (), 2, ("bars",), "our own",
        reference=("time.diff() / pd.Timedelta('1min') - 1",)),
    Feature(("cumulative_return",), others.cumulative_return, (), 1, ("since the beginning",), "standard", state=1,
        ta=("others_cr",)),
    # regimes
    Feature(regimes.COLUMNS, regimes.regime_posterior, (), regimes.LONG + 1, ("probability",) * len(regimes.STATES),
        "Hamilton (1989), filtered", state=len(regimes.STATES), fitted=True, version=2),
    Feature(change_points.COLUMNS, change_points.change_point, (15, 96, 4), 15 * change_points.LEAST_BLOCKS + 1,
        ("probability", "blocks"), "Adams and MacKay (2007)", state=change_points.SIZE),
)
# fmt: on

NAMES: tuple[str, ...] = tuple(name for feature in FEATURES for name in feature.names)
"""The columns of a feature frame, in order."""
KINDS: dict[str, str] = {
    name: UNITS[unit] for feature in FEATURES for name, unit in zip(feature.names, feature.units, strict=True)
}
"""How a model uses each column."""
HISTORY = max(feature.warmup for feature in FEATURES)
"""The number of bars kept in a state: no window reaches further back than its warm-up."""


def _fingerprint() -> str:
    rows = [
        (feature.names, feature.function.__name__, feature.parameters, feature.warmup, feature.version)
        for feature in FEATURES
    ]
    return hashlib.sha256(repr((LONGEST_GAP, rows)).encode()).hexdigest()[:12]


FINGERPRINT = _fingerprint()
"""Identifies this table; fitted parameters are added in `features.definition`."""
