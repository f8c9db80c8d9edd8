"""SQL in named blocks: a package's file queries.sql, in which a block begins with ``-- name: NAME``."""

from importlib.resources import files
from typing import LiteralString


def load(package: str) -> dict[str, LiteralString]:
    """Return each query by its name: text that ships with the program, so as constant as psycopg wants it."""
    text = files(package).joinpath("queries.sql").read_text(encoding="utf-8")
    blocks = (block.split("\n", 1) for block in text.split("-- name: ")[1:])
    return {name.strip(): sql.strip().rstrip(";") for name, sql in blocks}
