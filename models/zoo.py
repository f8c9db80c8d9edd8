"""The models that are compared with those in service (`models.registry`), by name."""

from models.ar import AR
from models.garch import GARCH
from models.har import HAR
from models.reversal import Reversal
from models.ridge import Ridge
from models.rls import RLS

ZOO: dict[str, type[Reversal] | type[AR] | type[Ridge] | type[HAR] | type[GARCH] | type[RLS]] = {
    model.name: model for model in (Reversal, AR, Ridge, HAR, GARCH, RLS)
}
"""Every other model, from the simplest on."""
