"""Messages for unknown names."""

import difflib
from collections.abc import Collection


def unknown(kind: str, name: str, known: Collection[str], listed: str = "", prefix: str = "") -> str:
    """Return the message for an unknown name, with the nearest one; if none is near, with all, or with the place where
    they are `listed`. The `prefix` is shown before the names and not compared.

    >>> unknown("model", "rigde", ["naive", "ridge"])
    "there is no model 'rigde': the nearest is 'ridge'"
    >>> unknown("model", "prophet", ["naive", "ridge"])
    "there is no model 'prophet': there are naive, ridge"
    """
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower, 1)
    if near:
        text = f"the nearest is {prefix + by_lower[near[0]]!r}"
    else:
        text = f"{listed} lists them" if listed else f"there are {', '.join(known)}"
    return f"there is no {kind} {prefix + name!r}: {text}"
