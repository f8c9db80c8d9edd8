"""Every model by name, the naive forecast first: a line each, with its class and the colour that it is drawn in.

Nothing is imported before it is asked for by name: torch, XGBoost and arch take seconds.
"""

from collections.abc import Iterator, Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from models.combine.combiner import Combination
    from models.forecaster import Forecaster

Class = TypeVar("Class")


class Colour(NamedTuple):
    """On a light and on a dark page, as #rrggbb."""

    light: str
    dark: str


class Entry(NamedTuple):
    """A model: its name, its class as module:class, its colour, and whether it needs torch."""

    name: str
    place: str
    colour: Colour
    torch: bool = False


class Zoo(Mapping[str, Class]):
    """Classes by the models' names, in the order of the entries; each is imported when it is asked for."""

    def __init__(self, *entries: Entry) -> None:
        self.entries = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> Class:
        result: Class = resolve_name(self.entries[name].place)
        return result

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


# Two shades of a hue are two of a kind where there are such; none is the dashboard's blue of hits or orange of misses.
ZOO: "Zoo[type[Forecaster]]" = Zoo(
    Entry("naive", "models.baselines.naive:Naive", Colour("#7b8794", "#8b98a6")),
    Entry("reversal", "models.baselines.sign_reversal:Reversal", Colour("#76513c", "#d7b79e")),
    Entry("ar", "models.baselines.ar:AR", Colour("#8a950d", "#cbd95b")),
    Entry("ridge", "models.linear.ridge:Ridge", Colour("#626a09", "#a2af29")),
    Entry("har", "models.volatility.har:HAR", Colour("#835b06", "#d79700")),
    Entry("garch", "models.volatility.garch:GARCH", Colour("#b7810f", "#fec25f")),
    Entry("online", "models.linear.online:Online", Colour("#00857a", "#35c4b3")),
    Entry("rls", "models.linear.rls:RLS", Colour("#0a7736", "#53be70")),
    Entry("gbm", "models.trees.gbm:GBM", Colour("#7a4fb8", "#b394ee")),
    Entry("lightgbm", "models.trees.lightgbm_point:LightGBM", Colour("#9b74d9", "#d6c2fe")),
    Entry("lightgbm_market", "models.trees.lightgbm_market:LightGBMMarket", Colour("#12a195", "#20ecda")),
    Entry("lightgbm_volatility", "models.trees.lightgbm_volatility:LightGBMVolatility", Colour("#bc68ba", "#feadfb")),
    Entry("lightgbm_har", "models.trees.lightgbm_har:LightGBMHAR", Colour("#36a558", "#7fe998")),
    Entry("xgboost", "models.trees.xgboost_point:XGBoost", Colour("#8f3d8e", "#d680d4")),
    Entry("transformer", "models.networks.transformer:Transformer", Colour("#0a6f82", "#0bb8d6"), torch=True),
    Entry("lstm", "models.networks.lstm:LSTM", Colour("#139cb6", "#62e1fe"), torch=True),
)
"""Every model that is fitted on history, from the simplest on."""
COMBINERS: "Zoo[type[Combination]]" = Zoo(
    Entry("ensemble", "models.combine.ensemble:Ensemble", Colour("#b83a78", "#ee7fb1")),
    Entry("ensemble_plain", "models.combine.ensemble:EnsemblePlain", Colour("#d06091", "#feb6d1")),
    Entry("stacking", "models.combine.stacking:Stacking", Colour("#a8372e", "#f47c6e")),
)
"""Every combination of them."""
