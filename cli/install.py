"""`foretick install`: shows and changes the set of Python packages."""

from importlib.util import find_spec
from typing import Annotated

import typer
from rich.table import Table

from cli.errors import UserError
from cli.text import Terminal
from settings.places import CHECKOUT, how_to_add
from stack.packages import EXTRAS, SETS, installed, sizes
from topics.suggestions import unknown


def install(
    packages: Annotated[str | None, typer.Argument(help=f"{', '.join(SETS)}; without it they are shown.")] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="With networks: torch without CUDA.")] = False,
) -> None:
    """Show the sets of Python packages, or install one of them, which ./foretick does before this code runs."""
    if not CHECKOUT:
        _show_extras(packages)
        return
    if packages is not None and packages not in SETS:
        raise UserError(f"there is no set of packages {packages!r}; there are {', '.join(SETS)}")
    if cpu and packages != "networks":
        raise UserError("--cpu is for the set networks: foretick install networks --cpu")
    here = installed()
    if packages is not None and packages != here:
        raise UserError(
            f"the environment is {'not of ./foretick' if here is None else f'the set {here}'}: it is changed by "
            f"./foretick install {packages}"
        )
    table = Table("packages", "size", "here", "what for", box=None)
    for name, what in SETS.items():
        table.add_row(name, sizes()[name], "yes" if name == here else "", what)
    Terminal().print(table)


def _show_extras(packages: str | None) -> None:
    """Show what an installed Foretick may have besides; raises UserError for a set that is not here."""
    if packages is not None and packages not in ("default", *EXTRAS):
        raise UserError(unknown("extra", packages, EXTRAS))
    here = {name: find_spec(module) is not None for name, (module, _) in EXTRAS.items()}
    if packages is not None and not here.get(packages, packages == "default"):
        raise UserError(f"the packages were installed by pip, uv or pipx: {how_to_add(packages)}")
    table = Table("extra", "here", "what for", box=None)
    for name, (_, what) in EXTRAS.items():
        table.add_row(name, "yes" if here[name] else "", what)
    Terminal().print(table)
