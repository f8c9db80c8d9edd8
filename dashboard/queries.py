"""The named blocks of queries.sql."""

from importlib.resources import files
from typing import LiteralString, cast


def load() -> dict[str, LiteralString]:
    """Return each query by its name."""
    text = files("dashboard").joinpath("queries.sql").read_text(encoding="utf-8")
    blocks = (block.split("\n", 1) for block in text.split("-- name: ")[1:])
    # The text ships with the program: it is as constant as a literal, which is what psycopg's type asks for.
    return {name.strip(): cast(LiteralString, sql.strip().rstrip(";")) for name, sql in blocks}


QUERIES = load()
