"""One page of a table: read, cut, and answered in the requested format."""

from fastapi import Request, Response
from psycopg import sql

from api import cursor, formats, known_symbols
from api.database import Database
from api.query_parameters import TableQuery, TimedQuery, once
from api.resources import Resource
from storage.sql_blocks import load

QUERIES = load("api")


def page(request: Request, resource: Resource, asked: TableQuery) -> Response:
    """Return the rows after the request's cursor, and the cursor after them if there are more.

    Raises CursorError, ProblemError (404, 406, 422), psycopg.Error and PoolTimeout.
    """
    once(request.query_params, asked)
    form = formats.chosen(request.headers.get("accept", ""), asked.format)
    order = asked.order if isinstance(asked, TimedQuery) else "asc"
    descending = order == "desc"
    after = None
    if asked.cursor is not None:
        after = cursor.decode(asked.cursor, resource.name, order, resource.key)
    query = sql.SQL(QUERIES[resource.name]).format(
        after=sql.SQL("<" if descending else ">"), order=sql.SQL("DESC" if descending else "ASC")
    )
    database: Database = request.app.state.database
    results = database.rows(query, resource.parameters(asked, after, descending))
    symbol = getattr(asked, "symbol", None)
    if not results and asked.cursor is None and symbol is not None:
        known_symbols.check(database, resource.name, (symbol,))
    key, given = len(resource.key), results[: asked.limit]
    more = len(results) > asked.limit
    following = cursor.encode(resource.name, order, given[-1][:key]) if more else None
    return formats.answer(request, form, resource.row, [row[key:] for row in given], following)
