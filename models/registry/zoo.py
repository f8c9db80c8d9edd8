"""Every model by name, the naive forecast first: a line each, with its class and the colour that it is drawn in.

Nothing is imported before it is asked for by name: torch, CatBoost, XGBoost and arch take seconds.
"""

from collections.abc import Iterator, Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from models.combine.combiner import Combination
    from models.forecaster import Forecaster

Class = TypeVar("Class")


SOLID, DASHED, DOTTED, DASH_DOT, LONG = (), (6, 3), (2, 3), (8, 3, 2, 3), (14, 4)
"""How a line is broken: drawn and left out in turn, in pixels."""


class Colour(NamedTuple):
    """On a light and on a dark page, as #rrggbb, and how a line in it is broken."""

    light: str
    dark: str
    dash: tuple[int, ...] = SOLID


class Entry(NamedTuple):
    """A model: its name, its class as module:class, its colour and dash, whether it serves where no models are named,
    and which package of the set `networks` it needs, if one.
    """

    name: str
    place: str
    colour: Colour
    default: bool = False
    needs: str = ""


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
# Two lines that are broken alike differ in colour to those too who see no red or no green
# (tests/models/test_models_colours.py).
ZOO: "Zoo[type[Forecaster]]" = Zoo(
    Entry("naive", "models.baselines.naive:Naive", Colour("#7e8a97", "#7e8b99", DASHED), default=True),
    Entry("reversal", "models.baselines.sign_reversal:Reversal", Colour("#76513c", "#d7b79e", DOTTED)),
    Entry("ar", "models.baselines.ar:AR", Colour("#8a950d", "#cbd95b", DASH_DOT)),
    Entry("ridge", "models.linear.ridge:Ridge", Colour("#626a09", "#a2af29", LONG)),
    Entry("har", "models.volatility.har:HAR", Colour("#835b06", "#d29903", SOLID)),
    Entry("har_week", "models.volatility.har_week:HARWeek", Colour("#948228", "#cadca6", SOLID)),
    Entry("harq", "models.volatility.harq:HARQ", Colour("#5e3a04", "#a6823a", LONG)),
    Entry(
        "har_semivariance", "models.volatility.har_semivariance:HARSemivariance", Colour("#5e9416", "#eedc82", DASHED)
    ),
    Entry("har_jumps", "models.volatility.har_jumps:HARJumps", Colour("#821604", "#ca704c", SOLID)),
    Entry("garch", "models.volatility.garch:GARCH", Colour("#b7810f", "#fec25f", DOTTED)),
    Entry("egarch", "models.volatility.egarch:EGARCH", Colour("#707070", "#eeee3a", LONG)),
    Entry("online", "models.linear.online:Online", Colour("#347964", "#4fba98", SOLID), default=True),
    Entry("rls", "models.linear.rls:RLS", Colour("#0a7736", "#53be70", DASHED)),
    Entry("gbm", "models.trees.gbm:GBM", Colour("#7a4fb8", "#af8bf6", SOLID), default=True),
    Entry("lightgbm", "models.trees.lightgbm_point:LightGBM", Colour("#9b74d9", "#d6c2fe", DOTTED)),
    Entry("lightgbm_market", "models.trees.lightgbm_market:LightGBMMarket", Colour("#169f93", "#20ecda", DASH_DOT)),
    Entry(
        "lightgbm_volatility", "models.trees.lightgbm_volatility:LightGBMVolatility", Colour("#bc68ba", "#feadfb", LONG)
    ),
    Entry("lightgbm_har", "models.trees.lightgbm_har:LightGBMHAR", Colour("#35a254", "#7fe998", LONG)),
    Entry("xgboost", "models.trees.xgboost_point:XGBoost", Colour("#8f3d8e", "#d781d8", DASHED)),
    Entry("catboost", "models.trees.catboost_point:CatBoost", Colour("#5e3a94", "#a6a6dc", DOTTED), needs="catboost"),
    Entry(
        "transformer", "models.networks.transformer:Transformer", Colour("#0a6f82", "#21b9d4", DASH_DOT), needs="torch"
    ),
    Entry("lstm", "models.networks.lstm:LSTM", Colour("#0397d7", "#62e1fe", DASHED), needs="torch"),
)
"""Every model that is fitted on history, from the simplest on."""
COMBINERS: "Zoo[type[Combination]]" = Zoo(
    Entry("ensemble", "models.combine.ensemble:Ensemble", Colour("#8b2178", "#fc97d5", SOLID)),
    Entry("ensemble_plain", "models.combine.ensemble:EnsemblePlain", Colour("#d06091", "#fed1cc", DOTTED)),
    Entry("stacking", "models.combine.stacking:Stacking", Colour("#a8372e", "#f47c6e", DASH_DOT)),
)
"""Every combination of them."""
