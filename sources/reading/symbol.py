"""A file's symbol: by its rows, its name, or the user; and its market."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sources.errors import SourceError
from sources.markets.file_name import symbol_of
from sources.markets.market import UNSAID, Market
from sources.reading.request import ReadRequest
from sources.tables.layout import Kind, Layout
from topics.markets import is_inverse, kind_of


def named(
    name: str, source: str, layout: Layout, request: ReadRequest, market: Market, alone: bool
) -> tuple[Layout, Market, bool]:
    """Return the layout with the symbol of a file that has no column of it, its market, and whether the user names it.

    A file that is alone is called as the user says, unless that contradicts the market that its name tells.
    """
    if "symbol" in layout.columns:
        return layout, market, False
    text = layout.symbol or symbol_of(name)
    if text is None and request.symbol is None:
        raise SourceError(
            f"{name}: read as {source}, but no symbol in the file or in its name; give it with --symbol "
            "BTCUSDT, or call the file such as BTCUSDT-1m.csv"
        )
    if market.explicit and text is not None:
        text = text.partition(":")[0]
    if request.symbol is None or not (alone or text is None):
        return replace(layout, symbol=text), market, False
    if text is None:
        return replace(layout, symbol=request.symbol), UNSAID if ":" in request.symbol else market, True
    pair = request.symbol.partition(":")[0]
    whole = pair != request.symbol or kind_of(request.symbol) == "option"
    if not whole:
        ours = market.of(text, name)
        if ":" in ours and not market.explicit and ours.partition(":")[0] == pair:
            raise SourceError(
                f"{name}: --symbol {request.symbol} is the spot market, and {market.source} says {ours}; give "
                "--market spot if it is spot"
            )
    remarks = layout.remarks
    if text.partition(":")[0] != pair:
        remarks = (*remarks, f"the symbol {text} that its name tells is called {request.symbol}, as --symbol says")
    return replace(layout, symbol=request.symbol, remarks=remarks), UNSAID if whole else market, False


def in_market(naming: Callable[[str], str], market: Market, name: str) -> Callable[[str], str]:
    """Return what turns a cell into a symbol of that market."""

    def symbol(cell: str) -> str:
        return market.of(naming(cell), name)

    return symbol


@dataclass
class SymbolSpellings:
    """The symbols of a file, and how its rows write each.

    In two ways it may be two markets: BitMEX's XBTUSDT and XBT_USDT. Bars of two markets have other prices and are
    told by them, where the texts are not alike; trades do not tell.
    """

    naming: Callable[[str], str]
    kind: Kind
    name: str
    symbols: dict[str, str] = field(default_factory=dict)

    def check(self, cells: Sequence[str | None]) -> None:
        """Raise SourceError if a symbol is written otherwise than before."""
        for cell in cells:
            if cell is None:
                continue
            first = self.symbols.setdefault(symbol := self.naming(cell), cell)
            one, other = (text.strip().upper() for text in (first, cell))
            if one != other and (self.kind == "tick" or _bare(one) == _bare(other)):
                raise SourceError(
                    f"{self.name}: it holds {first!r} and {cell!r}, which are both taken for {symbol} and may be two "
                    "markets: save those of each in a file, or write them in one way where they are one"
                )


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def of_one_kind(seen: set[str], request: ReadRequest, name: str) -> set[str]:
    """Return the symbols that count, whose amounts must be counted alike. Raises SourceError if they are not."""
    wanted = seen if request.symbol is None else {request.symbol} & seen or seen
    odd = sorted(symbol for symbol in wanted if is_inverse(symbol) or (":" in symbol and request.contract_size))
    others = sorted(wanted - set(odd))
    if odd and others:
        raise SourceError(
            f"{name}: it holds {odd[0]} and {others[0]}, whose amounts are not counted alike: choose one with --symbol"
        )
    return wanted
