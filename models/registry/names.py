"""The models' names, so that a mistyped one is found without importing the models, which takes seconds."""

from collections.abc import Iterable
from importlib.util import find_spec

from models.registry.zoo import COMBINERS, ZOO
from topics.suggestions import unknown

NAMES = (*ZOO, *COMBINERS)
DEFAULT_MODELS = tuple(entry.name for entry in ZOO.entries.values() if entry.default)
"""Those that serve where no others are named; the naive forecast, which the others are to beat, is the first."""
NETWORKS = tuple(entry.name for entry in ZOO.entries.values() if entry.torch)
"""Those that need torch, which is not in the default set of packages."""


class LacksTorchError(ValueError):
    """A requested model needs torch, which is not installed."""


def check(names: Iterable[str]) -> None:
    """Raise ValueError, with the nearest name, where one is no model's, and LacksTorchError if one needs torch."""
    wanted = list(names)
    for name in wanted:
        if name not in NAMES:
            raise ValueError(unknown("model", name, NAMES))
    if lacking := [name for name in without_torch() if name in wanted]:
        raise LacksTorchError(
            f"{' and '.join(lacking)} need{'s' if len(lacking) == 1 else ''} torch, which is not installed: "
            "./foretick install networks"
        )


def without_torch() -> tuple[str, ...]:
    """Return the models that need torch where it is not installed, none if it is."""
    return () if find_spec("torch") is not None else NETWORKS
