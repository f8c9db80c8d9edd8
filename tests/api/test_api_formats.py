"""A page of rows as CSV: what a spreadsheet does with it."""

import csv
import io

import pytest
from pydantic import BaseModel
from starlette.requests import Request

from api.formats import answer


class Row(BaseModel):
    """Texts and numbers."""

    text: str | None
    value: float | None
    count: int
    parts: dict[str, float]


def written(*rows: tuple[object, ...]) -> list[list[str]]:
    scope = {"type": "http", "path": "/v1/x", "query_string": b"", "headers": []}
    body = answer(Request(scope), "csv", Row, rows, None).body
    return list(csv.reader(io.StringIO(bytes(body).decode(), newline="")))[1:]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_that_a_spreadsheet_would_run_is_marked_as_text(begin: str) -> None:
    formula = f"{begin}cmd|' /C calc'!A0"
    assert written((formula, 1.0, 1, {}))[0][0] == f"'{formula}"


def test_numbers_and_other_texts_are_as_they_are() -> None:
    rows = written(("a=b", -1.5, -3, {"=x": -0.5}), (None, None, 0, {}))
    assert rows == [["a=b", "-1.5", "-3", '{"=x":-0.5}'], ["", "", "0", "{}"]]
    assert float(rows[0][1]) == -1.5


@pytest.mark.parametrize("price", [2.2630123456789e-10, 7.1e-12, 3.4e-5, 0.9999, 104_312.5, 1e16])
def test_a_price_of_any_size_is_written_whole(price: float) -> None:
    assert float(written(("x", price, 1, {}))[0][1]) == price
