"""The spelling of markets: our own, and those of venues, ccxt and users.

Spot is base and quote (``BTCUSDT``), a perpetual has its settlement currency behind a colon (``BTCUSDT:USDT``, inverse
``BTCUSD:BTC``), a delivery its day too (``BTCUSDT:USDT-240329``): ccxt's unified symbol without the slash. Docs:
docs.ccxt.com, "Contract naming conventions".
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from topics.currencies import COINS, QUOTES, cut

PERPETUALS = frozenset({"SWAP", "PERP", "PERPETUAL", "P", "UMCBL", "DMCBL", "CMCBL"})
"""Suffixes of a pair: OKX's SWAP, Binance's PERP, Deribit's PERPETUAL, TradingView's P, Bitget's three."""
SPOT = frozenset({"SPOT", "SPBL"})
_TURNED = frozenset({"USD"})
"""A perpetual or delivery quoted in it is settled in its base currency, unless its name says otherwise."""
_PARTING = re.compile(r"[-_/.]")
_DAY = re.compile(r"(\d{2})(\d{2})(\d{2})")
_LONG_DAY = re.compile(r"20\d{6}")
_DERIBIT = re.compile(r"(\d{1,2})([A-Z]{3})(\d{2})")
_OPTION = re.compile(r"[^-]+(?:-USD[CT]?)?-(\d{6}|\d{1,2}[A-Z]{3}\d{2})-[\d.D]+-[CP]")
_MONTH = re.compile(r"[A-Z0-9]+USD[TC]?[FGHJKMNQUVXZ]\d{2}")
"""Bybit's deliveries: BTCUSDH24 is of March 2024."""
_UNSETTLED = re.compile(r"([A-Z0-9]+?)(?:PERP|-PERP-INTX)")
"""Perpetuals whose currencies are implied: Bybit's BTCPERP, Coinbase's BTC-PERP-INTX."""
_ATTACHED = re.compile(r"([A-Z0-9]+(?:USDT|USDC|BUSD))PERP")
_NAUTILUS = re.compile(
    r"([A-Z0-9]+(?:-PERP)?)\.(?:BINANCE|BYBIT|OKX|BITMEX|KRAKEN|COINBASE|DERIBIT|DYDX|HYPERLIQUID|BITFINEX)"
)
_BITFINEX = re.compile(r"t([A-Z0-9]{6,}|[A-Z0-9]+:[A-Z0-9]+)")


@lru_cache(65_536)
def canonical(text: str) -> str:
    """Return the one spelling of a market; an unknown form is returned in capitals and without slashes.

    >>> [canonical(text) for text in ("btc/usdt", "BTC-USDT", "BTC_USDT", "X:BTCUSD", "XXBTZUSD", "BINANCE:BTCUSDT")]
    ['BTCUSDT', 'BTCUSDT', 'BTCUSDT', 'BTCUSD', 'XBTUSD', 'BTCUSDT']
    >>> [canonical(text) for text in ("BTC/USDT:USDT", "BTC-USDT-SWAP", "BTCUSDT.P", "BTCUSDT_PERP", "BTC_USDT_USDT")]
    ['BTCUSDT:USDT', 'BTCUSDT:USDT', 'BTCUSDT:USDT', 'BTCUSDT:USDT', 'BTCUSDT:USDT']
    >>> [canonical(text) for text in ("BTC/USD:BTC", "BTC-USD-SWAP", "BTCUSD_PERP", "BTC-PERPETUAL", "PI_XBTUSD")]
    ['BTCUSD:BTC', 'BTCUSD:BTC', 'BTCUSD:BTC', 'BTCUSD:BTC', 'XBTUSD:XBT']
    >>> [canonical(text) for text in ("BTC/USDT:USDT-240329", "BTCUSDT_240329", "BTC-USD-240329", "BTC-29MAR24")]
    ['BTCUSDT:USDT-240329', 'BTCUSDT:USDT-240329', 'BTCUSD:BTC-240329', 'BTCUSD:BTC-240329']
    """
    bare = text.strip()
    bare = (bare[1:] if _BITFINEX.fullmatch(bare) else bare).upper()
    head, colon, tail = bare.partition(":")
    if not colon:
        return _of_a_venue(bare)
    settle = tail.partition("-")[0]
    begins = head.startswith(settle) and len(head) > len(settle) + 1
    if cut(head) or "/" in head or head.endswith(settle) or begins:
        return f"{_joined(head)}:{_joined(tail)}"
    if _begins_with_a_pair(tail):  # after the venue's name
        return _of_a_venue(tail)
    return head + tail if tail in QUOTES or tail in COINS else bare


def canonical_pattern(text: str) -> str:
    """Return a name or a pattern of symbols (``*`` is anything, ``?`` one character) in our spelling.

    >>> [canonical_pattern(text) for text in ("btc/usdt", "BTC/*", "*/usdt:usdt", "eth-*")]
    ['BTCUSDT', 'BTC*', '*USDT:USDT', 'ETH*']
    """
    if not set(text) & set("*?"):
        return canonical(text)
    pair, colon, tail = text.strip().upper().partition(":")
    return re.sub(r"[-_/]", "", pair) + colon + tail


def unified(symbol: str) -> str | None:
    """Return ccxt's spelling of a symbol of ours, None if its base and quote are unknown.

    >>> unified("BTCUSDT"), unified("BTCUSD:BTC"), unified("BTCUSDT:USDT-240329"), unified("SPX")
    ('BTC/USDT', 'BTC/USD:BTC', 'BTC/USDT:USDT-240329', None)
    """
    pair, colon, contract = symbol.partition(":")
    parts = cut(pair)
    return None if parts is None else f"{parts[0]}/{parts[1]}{colon}{contract}"


def contract(pair: str, expiry: str | None = None, *, linear: bool | None = None) -> str | None:
    """Return a perpetual, or with its day (``240329``) a delivery, of a pair such as ``BTCUSDT``; None if the pair
    cannot be split.

    `linear`: settled in the quote currency; if None, only contracts quoted in USD are inverse, settled in the base.
    """
    parts = cut(pair)
    if parts is None:
        return None
    base, quote = parts
    settle = quote if linear or (linear is None and quote not in _TURNED) else base
    return f"{pair}:{settle}" if expiry is None else f"{pair}:{settle}-{expiry}"


def is_inverse(symbol: str) -> bool:
    """Return whether a symbol of ours is a contract settled in its base currency.

    >>> is_inverse("BTCUSD:BTC"), is_inverse("BTCUSDT:USDT"), is_inverse("BTCUSDT")
    (True, False, False)
    """
    pair, colon, settled = symbol.partition(":")
    settle = settled.partition("-")[0]
    return bool(colon) and pair.startswith(settle) and not pair.endswith(settle)


def kind_of(symbol: str) -> str:
    """Return the kind of market of a symbol of ours, in words.

    >>> kind_of("BTCUSDT"), kind_of("BTCUSDT:USDT"), kind_of("BTCUSD:BTC"), kind_of("BTCUSDT:USDT-240329")
    ('spot', 'perpetual', 'inverse perpetual', 'delivery of 2024-03-29')
    >>> kind_of("BTC-USD-241227-100000-C"), kind_of("BTCPERP"), kind_of("PERPUSDT"), kind_of("BTCUSDH24")
    ('option', 'perpetual', 'spot', 'delivery')
    """
    _, colon, settled = symbol.partition(":")
    if _OPTION.fullmatch(symbol) or len(settled.split("-")) > 2:
        return "option"
    if not colon and _MONTH.fullmatch(symbol):
        return "delivery"
    if not colon:
        named = _UNSETTLED.fullmatch(symbol)
        return "spot" if named is None or named[1] not in COINS else "perpetual"
    day = expiry_of(symbol)
    turned = "inverse " if is_inverse(symbol) else ""
    return f"{turned}perpetual" if day is None else f"{turned}delivery of 20{day[:2]}-{day[2:4]}-{day[4:]}"


def expiry_of(symbol: str) -> str | None:
    """Return the day of a delivery (``240329``), None of anything else.

    >>> expiry_of("BTCUSDT:USDT-240329"), expiry_of("BTCUSDT:USDT")
    ('240329', None)
    """
    return next(filter(_DAY.fullmatch, symbol.partition(":")[2].split("-")), None)


def day_of(text: str) -> str | None:
    """Return a delivery's day as ccxt writes it, from ``240329`` or ``29MAR24``; None if the text is no day."""
    try:
        if _LONG_DAY.fullmatch(text):
            return f"{datetime.strptime(text, '%Y%m%d'):%y%m%d}"
        if _DAY.fullmatch(text):
            return f"{datetime.strptime(text, '%y%m%d'):%y%m%d}"
        if match := _DERIBIT.fullmatch(text):
            day = f"{int(match[1]):02}{match[2]}{match[3]}"
            return f"{datetime.strptime(day, '%d%b%y'):%y%m%d}"
    except ValueError:
        pass
    return None


def _of_a_venue(text: str) -> str:
    for pattern, spelled in _VENUES:
        if (match := pattern.fullmatch(text)) is not None and (symbol := spelled(match)) is not None:
            return symbol
    parts = [part for part in _PARTING.split(text) if part]
    if len(parts) > 1:
        return _of_parts(parts) or _joined(text)
    return text


def _of_kraken_futures(match: re.Match[str]) -> str | None:
    return contract(match[2] + match[3], match[4], linear=match[1][1] == "F")


def _of_woo(match: re.Match[str]) -> str | None:
    if match[2] == match[3]:  # freqtrade's futures of a coin called PERP or SPOT
        return None
    return contract(match[2] + match[3]) if match[1] == "PERP" else match[2] + match[3]


def _of_upbit(match: re.Match[str]) -> str | None:
    quote, base = match.groups()
    return base + quote if quote == "KRW" or base in COINS or base not in QUOTES else None


_VENUES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]], ...] = (
    (_OPTION, lambda found: found[0]),
    (re.compile(r"X([A-Z]{3})[XZ]([A-Z]{3})"), lambda found: found[1] + found[2]),  # Kraken's XXBTZUSD
    (re.compile(r"(P[FI]|F[FI])_([A-Z0-9]+?)(USD)(?:_(\d{6}))?"), _of_kraken_futures),
    (
        re.compile(r"([A-Z0-9]+USD[TC]|(?:XBT|ETH|XRP|DOT|SOL|LTC|DOGE)USD)M"),
        lambda found: contract(found[1]),
    ),  # KuCoin
    (_ATTACHED, lambda found: contract(found[1])),
    (re.compile(r"(SPOT|PERP)[-_]([A-Z0-9]+)[-_]([A-Z0-9]+)"), _of_woo),
    (_NAUTILUS, lambda found: _of_a_venue(found[1])),
    (re.compile(r"(KRW|USDT)-([A-Z0-9]+)"), _of_upbit),
    # crypto.com's is settled in USD, where Binance's BTCUSD_PERP is in the coin.
    (re.compile(r"(.+USD)-PERP"), lambda found: contract(_joined(found[1]), linear=True)),
)
"""Spellings of venues that need a rule of their own."""


def _of_parts(parts: list[str]) -> str | None:
    """Return the contract given by the parts of a name, None if there is none."""
    *front, last = parts
    pair = "".join(front)
    if last in SPOT:
        return pair
    if len(front) == 1 and cut(pair) is None and (last == "PERPETUAL" or day_of(last)) and front[0].isalnum():
        pair = f"{pair}USD"  # Deribit's own and Bybit's: inverse
    if last in PERPETUALS:
        return contract(pair)
    if (day := day_of(last)) is not None:
        return contract(pair, day)
    if (
        len(parts) == 3 and parts[0] != parts[1] and last in (parts[0], parts[1]) and parts[1] in QUOTES
    ):  # freqtrade's files
        return f"{parts[0]}{parts[1]}:{last}"
    if len(parts) == 2 and (cut(parts[0]) or ("", ""))[1] == last:
        return f"{parts[0]}:{last}"
    return None


def _joined(text: str) -> str:
    bare = text.replace("/", "").replace("_", "")
    return bare.replace("-", "") if re.fullmatch(r"[^-]+-[A-Z]+", bare) else bare


def _begins_with_a_pair(text: str) -> bool:
    parts = _PARTING.split(text)
    return cut(parts[0]) is not None or cut("".join(parts[:2])) is not None or _ATTACHED.fullmatch(text) is not None
