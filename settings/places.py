"""Where the code, the files that come with it, and the home are: in a checkout, or installed from a wheel."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of our packages: the checkout's top, or site-packages."""


def is_checkout(root: Path) -> bool:
    """Return whether the packages in a folder are a checkout's, whose script is beside them."""
    return (root / "pyproject.toml").is_file() and (root / "foretick").is_file()


CHECKOUT = is_checkout(ROOT)
PACKAGES = (
    *("topics", "settings", "features", "models", "evaluation", "broker", "observability", "sources", "storage"),
    *("stream", "learning", "alerts", "stack", "dashboard", "api", "cli"),
)
"""Those of the wheel: in site-packages there are others beside them."""
DATA = ROOT if CHECKOUT else ROOT / "stack" / "data"
"""The folder of `sample/` and `requirements/`; pyproject.toml puts them there in the wheel."""


def home() -> Path:
    """Return the home where FORETICK_HOME names none: a checkout's own, else the user's, as the system has it."""
    if CHECKOUT:
        return ROOT / ".foretick"
    from platformdirs import user_data_path  # noqa: PLC0415 - a checkout, where the scripts run, does without it

    return user_data_path("foretick", appauthor=False)


HOME = home()


def module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours; of the current folder, it imports nothing."""
    return [sys.executable, "-P", "-u", "-m", name, *arguments]


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of such a command, and of what libraries start from it.

    A checkout's is told where the packages are: the environment of its Python may have been made for another one.
    """
    result = {**base, "PYTHONSAFEPATH": "1"}
    if CHECKOUT:
        result["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), base.get("PYTHONPATH"))))
    return result


FOLDER = ROOT if CHECKOUT and os.access(ROOT, os.X_OK) else Path("/")
"""The current folder of our processes: none of the user's, where libraries find files that are not meant for them."""


def typed(text: str) -> str:
    """Return a message with its commands as they are typed here: messages name them as in a checkout.

    >>> typed("start it by ./foretick up") == f"start it by {'./' if CHECKOUT else ''}foretick up"
    True
    """
    if CHECKOUT:
        return text
    return text.replace("./foretick install networks", how_to_add("networks")).replace("./foretick", "foretick")


def how_to_add(extra: str) -> str:
    """Return what adds the packages of an extra to an installed Foretick; a checkout's sets have all but torch."""
    return f"install foretick[{extra}], as Foretick was installed"
