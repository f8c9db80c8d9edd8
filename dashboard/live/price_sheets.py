"""What of the market's plots can be saved as CSV."""

from dashboard.live.charts import Market
from dashboard.live.fan import LEVELS
from dashboard.number_format import currencies
from dashboard.sheets import Sheet, offer, sheet

START = {"start": "time [UTC]"}


def offer_market(market: Market, symbol: str) -> None:
    """Offer candles, the forecast and regimes of a symbol, whose currencies are the units."""
    base, quote = (f" [{name}]" if name else "" for name in currencies(symbol))
    prices = {name: f"{name}{quote}" for name in ("open", "high", "low", "close")}
    ends = {name: f"90 % interval, {name} end{quote}" for name in ("lower", "upper")}
    resolved = {**ends, "hit": "in the interval (1) or not (0)"}
    levels = {name: f"{int(name[1:])} % quantile{quote}" for name in LEVELS}
    ahead = {"time": "target time [UTC]", "horizon": "horizon [bars]", "p_up": "chance of a rise [share]", **levels}
    offer(
        market.price,
        Sheet(name="candles", columns={**START, **prices, **resolved}, sources=[("", market.bars)]),
        Sheet(name="newest forecast", columns=ahead, sources=[("", market.fan)]),
    )
    regimes = {"first": "from [UTC]", "last": "to [UTC]", "state": "regime"}
    sheet(market.ribbon, market.regimes, regimes)
    sheet(market.volume, market.bars, {**START, "volume": f"volume{base}"})
