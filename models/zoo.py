"""Every model by name, the naive forecast first: those that `up` serves (`models.registry`) among the others.

Importing it loads XGBoost and arch: seconds, so a command imports it only where it fits or explains a model.
"""

from typing import Any

from models.ar import AR
from models.combiner import Combination
from models.ensemble import Ensemble, EnsemblePlain
from models.garch import GARCH
from models.gbm import GBM
from models.har import HAR
from models.lightgbm_har import LightGBMHAR
from models.lightgbm_market import LightGBMMarket
from models.lightgbm_point import LightGBM
from models.lightgbm_volatility import LightGBMVolatility
from models.lstm import LSTM
from models.naive import Naive
from models.online import Online
from models.reversal import Reversal
from models.ridge import Ridge
from models.rls import RLS
from models.stacking import Stacking
from models.transformer import Transformer
from models.xgboost_point import XGBoost

CLASSES = (
    Naive,
    Reversal,
    AR,
    Ridge,
    HAR,
    GARCH,
    Online,
    RLS,
    GBM,
    LightGBM,
    LightGBMMarket,
    LightGBMVolatility,
    LightGBMHAR,
    XGBoost,
    Transformer,
    LSTM,
)
ZOO: dict[str, type[Any]] = {model.name: model for model in CLASSES}
"""Every model that is fitted on history, from the simplest on."""
COMBINERS: dict[str, type[Combination]] = {model.name: model for model in (Ensemble, EnsemblePlain, Stacking)}
"""Every combination of them."""
