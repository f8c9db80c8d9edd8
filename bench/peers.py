"""What TA-Lib and talipp have of our table: which calls, for which of our features."""

import ast
import re
from collections.abc import Callable
from typing import Any

import talib
from talipp import indicators as peer

from features.table import FEATURES, Feature

Make = Callable[..., Any]
CLOSE, BAR = "close", "bar"
TALIPP: tuple[tuple[str, str, Make], ...] = (
    (r"SMA\(close, (\d+)\)", CLOSE, peer.SMA),
    (r"EMA\(close, (\d+)\)", CLOSE, peer.EMA),
    (r"WMA\(close, (\d+)\)", CLOSE, peer.WMA),
    (r"DEMA\(close, (\d+)\)", CLOSE, peer.DEMA),
    (r"TEMA\(close, (\d+)\)", CLOSE, peer.TEMA),
    (r"RSI\(close, (\d+)\)", CLOSE, peer.RSI),
    (r"ROC\(close, (\d+)\)", CLOSE, peer.ROC),
    (r"TRIX\(close, (\d+)\)", CLOSE, peer.TRIX),
    (r"STDDEV\(close, (\d+)\)", CLOSE, peer.StdDev),
    (r"ATR\(high, low, close, (\d+)\)", BAR, peer.ATR),
    (r"NATR\(high, low, close, (\d+)\)", BAR, peer.NATR),
    (r"CCI\(high, low, close, (\d+)\)", BAR, peer.CCI),
    (r"WILLR\(high, low, close, (\d+)\)", BAR, peer.Williams),
    (r"ADX\(high, low, close, (\d+)\)", BAR, lambda period: peer.ADX(period, period)),
    (r"STOCHF\(high, low, close, (\d+), (\d+)\)\[0\]", BAR, peer.Stoch),
    (r"MAX\(high, (\d+)\)", BAR, peer.DonchianChannels),
    (r"OBV\(close, volume\)", BAR, peer.OBV),
    (r"AD\(high, low, close, volume\)", BAR, peer.AccuDist),
    (r"ADOSC\(high, low, close, volume, (\d+), (\d+)\)", BAR, peer.ChaikinOsc),
    (r"BOP\(open, high, low, close\)", BAR, peer.BOP),
    (r"ULTOSC\(high, low, close, (\d+), (\d+), (\d+)\)", BAR, peer.UO),
    # What TA-Lib does not have, or under other names, is known by ta's column; ta has one choice of parameters.
    (r"trend_macd", CLOSE, lambda: peer.MACD(12, 26, 9)),
    (r"volatility_bbm", CLOSE, lambda: peer.BB(20, 2)),
    (r"volatility_dch", BAR, lambda: peer.DonchianChannels(20)),
    (r"volatility_kcc", BAR, lambda: peer.KeltnerChannels(10, 10, 1, 1)),
    (r"trend_aroon_up", BAR, lambda: peer.Aroon(25)),
    (r"trend_vortex_ind_pos", BAR, lambda: peer.VTX(14)),
    (r"trend_mass_index", BAR, lambda: peer.MassIndex(9, 9, 25)),
    (r"trend_dpo", CLOSE, lambda: peer.DPO(20)),
    (r"trend_trix", CLOSE, lambda: peer.TRIX(15)),
    (r"trend_kst", CLOSE, lambda: peer.KST(10, 10, 15, 10, 20, 10, 30, 15, 9)),
    (r"trend_stc", CLOSE, lambda: peer.STC(23, 50, 10, 3)),
    (r"trend_ichimoku_conv", BAR, lambda: peer.Ichimoku(26, 9, 26, 52, 26)),
    (r"trend_psar_up", BAR, lambda: peer.ParabolicSAR(0.02, 0.02, 0.2)),
    (r"momentum_stoch_rsi", CLOSE, lambda: peer.StochRSI(14, 14, 3, 3)),
    (r"momentum_tsi", CLOSE, lambda: peer.TSI(13, 25)),
    (r"momentum_uo", BAR, lambda: peer.UO(7, 14, 28)),
    (r"momentum_ao", BAR, lambda: peer.AO(5, 34)),
    (r"momentum_kama", CLOSE, lambda: peer.KAMA(10, 2, 30)),
    (r"volume_adi", BAR, peer.AccuDist),
    (r"volume_obv", BAR, peer.OBV),
    (r"volume_fi", BAR, lambda: peer.ForceIndex(13)),
)
"""An expression of the table's (`talib` or `ta`), what talipp's indicator of it eats, and how to make one.

The numbers in the expression are the indicator's parameters.
"""


def of_talipp() -> list[tuple[Feature, str, Any]]:
    """Return the features that talipp has, with what its indicator eats and a new indicator: one a feature."""
    results = []
    for feature in FEATURES:
        marks = [mark for mark in (*feature.talib, *feature.ta) if mark]
        matches = ((eats, make, re.fullmatch(pattern, mark)) for mark in marks for pattern, eats, make in TALIPP)
        first = next(((eats, make, match) for eats, make, match in matches if match), None)
        if first is not None:
            eats, make, match = first
            results.append((feature, eats, make(*map(int, match.groups()))))
    return results


def of_talib() -> list[Feature]:
    """Return the features of which TA-Lib has a column at least."""
    return [feature for feature in FEATURES if any(feature.talib)]


def talib_calls() -> tuple[dict[str, str], int]:
    """Return TA-Lib's calls for all columns of the table that name one, and how many columns these are.

    Name of the result to the call, in an order that works: no call is made twice, also not within another. What the
    table computes to call them with ((high + low) / 2) is made in the call, as ours makes it in the fold.
    """
    calls = _Calls()
    expressions = [expression for feature in of_talib() for expression in feature.talib if expression]
    for expression in expressions:
        calls.visit(ast.parse(expression, mode="eval"))
    return {name: call for call, name in calls.names.items()}, len(expressions)


class _Calls(ast.NodeTransformer):
    """Gathers the calls of TA-Lib, each with a name for its result in place of those within it."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and hasattr(talib, node.func.id)):
            return node
        name = self.names.setdefault(ast.unparse(node), f"{node.func.id.lower()}_{len(self.names)}")
        return ast.Name(name, ast.Load())
