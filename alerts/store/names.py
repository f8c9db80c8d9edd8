"""Unknown names, and the nearest known one."""

from collections.abc import Sequence
from difflib import get_close_matches

from psycopg import Connection

RULES = "SELECT name FROM alert_rules WHERE removed_at IS NULL ORDER BY name"
SUBSCRIBERS = "SELECT name FROM alert_subscribers ORDER BY name"


def rules_in_force(connection: Connection) -> list[str]:
    """Return the rules' names."""
    return [row[0] for row in connection.execute(RULES).fetchall()]


def subscribers(connection: Connection) -> list[str]:
    """Return the subscribers' names."""
    return [row[0] for row in connection.execute(SUBSCRIBERS).fetchall()]


def absent(what: str, name: str, known: Sequence[str]) -> str:
    """Return the message for an unknown name.

    >>> absent("rule", "big-mvoe", ["big-move", "blind"])
    'there is no rule big-mvoe, the nearest is big-move: foretick alerts list'
    """
    near = get_close_matches(name, known, 1)
    return f"there is no {what} {name}{f', the nearest is {near[0]}' if near else ''}: foretick alerts list"
