"""One page of a table: read, cut, and answered in the requested format."""

from fastapi import Request, Response
from psycopg import sql

from api import cursor, formats, known_symbols
from api.database import Database
from api.query_parameters import Ordered, Question, once
from api.resources import Resource
from storage.sql_blocks import load

QUERIES = load("api")


def page(request: Request, resource: Resource, question: Question) -> Response:
    """Return the rows after the request's cursor, and the cursor after them if there are more.

    Raises CursorError, ProblemError (404, 406, 422), psycopg.Error and PoolTimeout.
    """
    once(request.query_params, question)
    form = formats.chosen(request.headers.get("accept", ""), question.format)
    order = question.order if isinstance(question, Ordered) else "asc"
    descending = order == "desc"
    after = None
    if question.cursor is not None:
        after = cursor.decode(question.cursor, resource.name, order, resource.key)
    query = sql.SQL(QUERIES[resource.name]).format(
        after=sql.SQL("<" if descending else ">"), order=sql.SQL("DESC" if descending else "ASC")
    )
    database: Database = request.app.state.database
    results = database.rows(query, resource.parameters(question, after, descending))
    symbol = getattr(question, "symbol", None)
    if not results and question.cursor is None and symbol is not None:
        known_symbols.check(database, resource.name, (symbol,))
    key, given = len(resource.key), results[: question.limit]
    more = len(results) > question.limit
    following = cursor.encode(resource.name, order, given[-1][:key]) if more else None
    return formats.answer(request, form, resource.row, [row[key:] for row in given], following)
