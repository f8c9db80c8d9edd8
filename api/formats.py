"""A page of rows in the requested format: JSON, an Arrow stream or CSV, with the same content."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from fastapi import Request, Response
from pydantic import BaseModel

from api.columns import TIMES, table
from api.problems import ProblemError

MEDIA = {"json": "application/json", "arrow": "application/vnd.apache.arrow.stream", "csv": "text/csv"}

FORMULA = r"^([=+\-@\t\r\n])"
"""The first characters of text that a spreadsheet would execute as a formula."""

Rows = Sequence[Sequence[Any]]


def chosen(accept: str, override: str | None) -> str:
    """Return the format to answer in, by the query's `format` or the header Accept; JSON where all are welcome.

    Raises ProblemError (406) if none is.
    """
    if override is not None:
        return override
    weights = dict(_weights(accept or "*/*"))
    best, weight = "json", 0.0
    for name, media in MEDIA.items():
        result = weights.get(media, weights.get(f"{media.split('/')[0]}/*", weights.get("*/*", 0.0)))
        if result > weight:
            best, weight = name, result
    if weight == 0:
        raise ProblemError(406, f"Accept allows none of {', '.join(MEDIA.values())}")
    return best


def _weights(accept: str) -> list[tuple[str, float]]:
    results = []
    for part in accept.split(","):
        media, *parameters = (text.strip().lower() for text in part.split(";"))
        given = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            results.append((media, min(max(float(given), 0.0), 1.0)))
        except ValueError:
            continue  # an invalid weight is ignored
    return results


def answer(request: Request, form: str, row: type[BaseModel], rows: Rows, following: str | None) -> Response:
    """Return the response; `following` is the cursor of the next page, which the header Link names in every format."""
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if following is not None:
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        # Relative: behind a proxy, only the client knows by which address it came.
        headers["Link"] = f'<{request.url.path}?{urlencode([*query, ("cursor", following)])}>; rel="next"'
    body = {"json": _json, "arrow": _arrow, "csv": _csv}[form](row, rows, following)
    return Response(body, media_type=MEDIA[form], headers=headers)


def _json(row: type[BaseModel], rows: Rows, following: str | None) -> bytes:
    names = tuple(row.model_fields)
    return msgspec.json.encode({"rows": [dict(zip(names, one, strict=True)) for one in rows], "next": following})


def _arrow(row: type[BaseModel], rows: Rows, _: str | None) -> bytes:
    result = table(row, rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, result.schema) as writer:
        writer.write_table(result)
    return bytes(sink.getvalue())


def _csv(row: type[BaseModel], rows: Rows, _: str | None) -> bytes:
    result = table(row, rows)
    for place, field in enumerate(result.schema):
        if field.type == TIMES:
            result = result.set_column(place, field.name, result.column(place).cast(pa.int64()))
        elif pa.types.is_nested(field.type):
            texts = [None if one[place] is None else msgspec.json.encode(one[place]).decode() for one in rows]
            result = result.set_column(place, field.name, pa.array(texts, pa.string()))
        elif pa.types.is_string(field.type):
            # An apostrophe marks text in a spreadsheet. Numbers are not text: a negative one is unchanged.
            result = result.set_column(
                place, field.name, pc.replace_substring_regex(result.column(place), FORMULA, r"'\1")
            )
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(result, sink)
    return bytes(sink.getvalue())
