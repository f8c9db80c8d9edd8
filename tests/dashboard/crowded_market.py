"""A made-up market of fifty symbols of many prices, and forecasts that differ, for the page of all symbols."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard_market import Market
from msgspec.structs import replace

from topics.records import Bar, Prediction, Regime

BASES = (
    *(
        "BTC",
        "ETH",
        "SOL",
        "XRP",
        "BNB",
        "DOGE",
        "ADA",
        "TRX",
        "AVAX",
        "LINK",
        "DOT",
        "LTC",
        "BCH",
        "XLM",
        "ATOM",
        "UNI",
    ),
    *(
        "ETC",
        "FIL",
        "APT",
        "NEAR",
        "ARB",
        "OP",
        "AAVE",
        "INJ",
        "SUI",
        "SEI",
        "TIA",
        "PEPE",
        "SHIB",
        "BONK",
        "WIF",
        "FET",
    ),
    *("RENDER", "GRT", "ALGO", "VET", "ICP", "HBAR", "MKR", "SAND", "MANA", "AXS", "EOS", "XTZ", "THETA", "FLOW"),
    *("CHZ", "CRV", "LDO", "RUNE"),
)
SYMBOLS = tuple(f"{base}USDT" for base in BASES)
STATES = ("calm", "trending_up", "trending_down", "turbulent")


@dataclass(kw_only=True)
class CrowdedMarket(Market):
    """Each symbol has a price level, a regime and a chance of a rise of its own."""

    symbols: Sequence[str] = SYMBOLS

    def place(self, symbol: str) -> int:
        """Return a number that differs by symbol."""
        return SYMBOLS.index(symbol)

    def level_of(self, symbol: str) -> float:
        """Return by which factor the symbol's prices differ from those of the first."""
        return float(10 ** (-self.place(symbol) / 5))

    def _bar(self, symbol: str, minute: int) -> Bar:
        bar, factor = super()._bar(symbol, minute + 7 * self.place(symbol)), self.level_of(symbol)
        prices = {name: getattr(bar, name) * factor for name in ("open", "high", "low", "close")}
        return replace(bar, time=super()._bar(symbol, minute).time, **prices)

    def _regime(self, symbol: str, minute: int) -> Regime:
        state = STATES[self.place(symbol) % len(STATES)]
        return replace(super()._regime(symbol, minute), state=state, posterior={state: 0.8, "other": 0.2})

    def _said(self, symbol: str, minute: int, model: str) -> Prediction:
        said, place = super()._said(symbol, minute, model), self.place(symbol)
        p_up = 0.5 if model == "naive" else 0.5 + 0.3 * math.sin(place + minute / 9)
        forecasts = [replace(one, p_up=min(1.0, max(0.0, p_up + one.horizon / 1_000))) for one in said.forecasts]
        price = self.close_at(minute + 7 * place) * self.level_of(symbol)
        return replace(said, price=price, forecasts=forecasts)
