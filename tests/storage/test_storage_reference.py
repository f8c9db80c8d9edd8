"""docs/reference/sql.md is the page of a database that was migrated today."""

import pytest

from cli.reference import sql
from cli.reference.__main__ import SQL_PAGE

pytestmark = pytest.mark.services


def test_the_page_has_the_tables_as_they_are(database: str) -> None:
    made = sql.page(sql.read(database))
    assert SQL_PAGE.read_text() == made, f"run: python -m cli.reference --database {database.rpartition('@')[2]}"


def test_a_table_that_nobody_described_is_refused(database: str) -> None:
    rows = sql.read(database)
    with pytest.raises(ValueError, match="novel"):
        sql.page([*rows, ("novel", False, "x", "text", True, True, None)])
    with pytest.raises(ValueError, match="bars"):
        sql.page([row for row in rows if row[0] != "bars"])
