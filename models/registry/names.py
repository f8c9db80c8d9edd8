"""The models' names, so that a mistyped one is found without importing the models, which takes seconds."""

from collections.abc import Iterable
from importlib.util import find_spec

from models.registry.zoo import COMBINERS, ZOO
from topics.suggestions import unknown

NAMES = (*ZOO, *COMBINERS)
DEFAULT_MODELS = tuple(entry.name for entry in ZOO.entries.values() if entry.default)
"""Those that serve where no others are named; the naive forecast, which the others are to beat, is the first."""
NEEDED = {entry.name: entry.needs for entry in ZOO.entries.values() if entry.needs}
"""The package, not in the default set, of each model that needs one."""


class LacksPackageError(ValueError):
    """A requested model needs a package that is not installed."""


def check(names: Iterable[str]) -> None:
    """Raise ValueError, with the nearest name, where one is no model's, and LacksPackageError if its package is not
    installed.
    """
    wanted = list(names)
    for name in wanted:
        if name not in NAMES:
            raise ValueError(unknown("model", name, NAMES))
    if lacking := [name for name in not_installed() if name in wanted]:
        needed, verb = packages(lacking)
        raise LacksPackageError(
            f"{' and '.join(lacking)} need{'s' if len(lacking) == 1 else ''} {needed}, which {verb} not installed: "
            "./foretick install networks"
        )


def not_installed() -> tuple[str, ...]:
    """Return the models whose package is not installed."""
    return tuple(name for name, package in NEEDED.items() if find_spec(package) is None)


def packages(names: Iterable[str]) -> tuple[str, str]:
    """Return the packages that the models need, and the verb for so many.

    >>> packages(["transformer", "lstm"])
    ('torch', 'is')
    """
    needed = list(dict.fromkeys(NEEDED[name] for name in names))
    return " and ".join(needed), "is" if len(needed) == 1 else "are"
