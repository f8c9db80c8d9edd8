"""What a viewer of the tuning page has chosen, and its form in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.series_colours import MOST
from learning.tuning.study_table import STATES, StudyTable

TOPS = (1, 5, 10, 25, 100)
"""The shares of the best trials to choose from, in %."""
DEFAULT_TOP = 10
ANY = "any"
STATE_CHOICES = (ANY, *(state.lower() for state in STATES))
ORDERS = ("newest first", "best first", "oldest first")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The names of the studies (empty: the page may choose), two parameters, the top share, the table's filters."""

    studies: tuple[str, ...] = ()
    x: str | None = None
    y: str | None = None
    top: int = DEFAULT_TOP
    state: str = ANY
    order: str = ORDERS[0]
    where: str = ""


def parse(given: Mapping[str, str]) -> tuple[Choice, tuple[str, ...]]:
    """Read the address; return the choice and what could not be followed."""
    notes = []
    choice = Choice(
        studies=tuple(name for name in given.get("studies", "").split(",") if name)[:MOST],
        x=given.get("x") or None,
        y=given.get("y") or None,
        where=given.get("where", ""),
    )
    for name, options in (("top", tuple(map(str, TOPS))), ("state", STATE_CHOICES), ("order", ORDERS)):
        value = given.get(name)
        if value is None:
            continue
        if value not in options:
            notes.append(f"{name}={value[:40]} in the address is none of {', '.join(options)}.")
        elif name == "top":
            choice = replace(choice, top=int(value))
        elif name == "state":
            choice = replace(choice, state=value)
        else:
            choice = replace(choice, order=value)
    return choice, tuple(notes)


def query(choice: Choice) -> dict[str, str | None]:
    """Return the parts of the address that restore the choice; None is the default."""
    usual = Choice()
    return {
        "studies": ",".join(choice.studies) or None,
        "x": choice.x,
        "y": choice.y,
        "top": str(choice.top) if choice.top != usual.top else None,
        "state": choice.state if choice.state != usual.state else None,
        "order": choice.order if choice.order != usual.order else None,
        "where": choice.where or None,
    }


def by_importance(table: StudyTable, importances: Sequence[str]) -> list[str]:
    """Return the parameters of a study, the most important ones first."""
    names = [name for name in importances if name in table.parameters]
    return names + [name for name in table.parameters if name not in names]


def parameters(
    choice: Choice, table: StudyTable, importances: Sequence[str]
) -> tuple[tuple[str | None, str | None], tuple[str, ...]]:
    """Return the two parameters to show: those chosen, else the most important ones; and what does not exist."""
    names = by_importance(table, importances)
    notes = tuple(
        f"The study has no parameter {wanted[:40]}."
        for wanted in (choice.x, choice.y)
        if wanted and names and wanted not in names
    )
    x = choice.x if choice.x in names else next(iter(names), None)
    y = choice.y if choice.y in names else next((name for name in names if name != x), x)
    return (x, y), notes
