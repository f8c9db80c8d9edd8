"""Errors as in RFC 9457: ``application/problem+json`` with one clear line and no internal details."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.cursor import CursorError

MEDIA = "application/problem+json"
NAME_LETTERS = 100
FOUND = {
    404: "unknown path; /v1 lists all paths, /docs shows them",
    405: "method not allowed; the header Allow lists the allowed ones",
}
"""Messages for the framework's errors."""
log = logging.getLogger("foretick")


def shorten(text: str, dead_letters: int) -> str:
    """Return a text, cut where it is longer."""
    return text if len(text) <= dead_letters else f"{text[: dead_letters - 1]}…"


class ProblemDetails(BaseModel):
    """The reason why a request was refused."""

    title: str = Field(examples=["Unauthorized"])
    status: int = Field(examples=[401])
    detail: str = Field(examples=["no token: send the header Authorization: Bearer TOKEN"])


class ProblemError(Exception):
    """An error answer, with its `headers`."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def body(self) -> bytes:
        """Return the document."""
        title = HTTPStatus(self.status).phrase
        return msgspec.json.encode({"title": title, "status": self.status, "detail": self.detail})

    def response(self) -> Response:
        """Return the whole answer."""
        return Response(self.body(), self.status, self.headers, MEDIA)


def too_slow(_: Request, __: Exception) -> Response:
    """Answer a query that took too long."""
    return ProblemError(503, "the query takes too long: request less, by `from` and `to` or by filters").response()


def unreachable(_: Request, error: Exception) -> Response:
    """Answer if the database does not."""
    log.error("the database does not answer: %s", " ".join(str(error).split()))
    return ProblemError(503, "the database does not answer; try again later", Retry_After="5").response()


def invalid(_: Request, error: Exception) -> Response:
    """Name the invalid parameter, and why."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for mypy: it is registered for no other
    return invalid_query(error.errors())


def invalid_query(errors: Sequence[Any]) -> Response:
    """Answer an invalid request with the first of its errors."""
    first, *others = errors
    kind, more = first["type"], f" (and {len(others)} more)" if others else ""
    if kind == "json_invalid":
        return ProblemError(422, "body: invalid JSON").response()
    named = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    where = "".join(letter if letter.isprintable() else " " for letter in named)  # the client chose it
    output = "there is no such parameter" if kind == "extra_forbidden" else first["msg"]
    return ProblemError(422, f"{shorten(where, NAME_LETTERS)}: {output}{more}").response()


def wrong_cursor(_: Request, error: Exception) -> Response:
    """Answer an invalid cursor."""
    return ProblemError(422, f"cursor: {error}").response()


def known(_: Request, error: Exception) -> Response:
    """Answer with the problem that was raised."""
    assert isinstance(error, ProblemError)  # noqa: S101 - as in `invalid`
    return error.response()


def by_framework(_: Request, error: Exception) -> Response:
    """Answer the framework's errors: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as in `invalid`
    headers = dict(error.headers or {})
    return ProblemError(error.status_code, FOUND.get(error.status_code, str(error.detail)), **headers).response()


def unexpected(_: Request, __: Exception) -> Response:
    """Answer an internal error without details; the server's log has them."""
    return ProblemError(500, "internal error; the API's log has the details").response()


def handle(app: FastAPI) -> None:
    """Answer every error with a problem."""
    handlers: dict[type[Exception], Any] = {
        ProblemError: known,
        RequestValidationError: invalid,
        CursorError: wrong_cursor,
        HTTPException: by_framework,
        psycopg.errors.QueryCanceled: too_slow,
        psycopg.OperationalError: unreachable,
        PoolTimeout: unreachable,
        Exception: unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI descriptions of these answers."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in statuses
    }
