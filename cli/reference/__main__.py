"""Writes the pages and documents of docs/reference, and the picture of the flow: `python -m cli.reference`.

The page of the tables is made from a migrated database, and only if one is named: `--database URL`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cli.reference import asyncapi, commands, flow, metrics, rest, sql, topics
from settings import ROOT
from settings.places import CHECKOUT

DOCS = ROOT / "docs"
SQL_PAGE = DOCS / "reference" / "sql.md"


def files() -> dict[Path, str]:
    """Return the content of each file."""
    folder = DOCS / "reference"
    return {
        folder / "commands.md": commands.page(),
        folder / "topics.md": topics.page(),
        folder / "rest.md": rest.page(),
        folder / "metrics.md": metrics.page(),
        folder / "asyncapi.json": _json(asyncapi.document()),
        folder / "openapi.json": _json(rest.document()),
        DOCS / "images" / "flow.svg": flow.picture(),
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    if not CHECKOUT:
        sys.exit("cli.reference: there is no docs folder here: the pages are made in a checkout")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", metavar="URL", help="a migrated database, for the page of its tables")
    options = parser.parse_args()
    made = files()
    if options.database:
        made[SQL_PAGE] = sql.page(sql.read(options.database))
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
