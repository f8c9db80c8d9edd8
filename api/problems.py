"""What goes wrong, as RFC 9457 says it: ``application/problem+json`` with one clear line and nothing of the inside."""

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
    404: "there is nothing here; /openapi.json lists what there is",
    405: "this cannot be done here; the header Allow says what can",
}
"""What the framework found, in words."""
log = logging.getLogger("foretick")


def shorten(text: str, letters: int) -> str:
    """Return a text, cut where it is longer."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


class ProblemDetails(BaseModel):
    """Why a request was not answered."""

    title: str = Field(examples=["Unauthorized"])
    status: int = Field(examples=[401])
    detail: str = Field(examples=["no token: send the header Authorization: Bearer TOKEN"])


class ProblemError(Exception):
    """An answer other than what was asked for; `headers` go with it."""

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
    return ProblemError(503, "the answer takes too long: ask for less, by `from` and `to` or by filters").response()


def unreachable(_: Request, error: Exception) -> Response:
    """Answer where the database does not."""
    log.error("the database does not answer: %s", " ".join(str(error).split()))
    return ProblemError(503, "the database does not answer; try again later", Retry_After="5").response()


def invalid(_: Request, error: Exception) -> Response:
    """Say which parameter is wrong, and why."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for mypy: it is registered for no other
    return question(error.errors())


def question(errors: Sequence[Any]) -> Response:
    """Say what is wrong with a question, by the first of its errors."""
    first, *others = errors
    kind, more = first["type"], f" (and {len(others)} more)" if others else ""
    if kind == "json_invalid":
        return ProblemError(422, "body: it is no JSON").response()
    named = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    where = "".join(letter if letter.isprintable() else " " for letter in named)  # a client may have made it up
    said = "there is no such parameter" if kind == "extra_forbidden" else first["msg"]
    return ProblemError(422, f"{shorten(where, NAME_LETTERS)}: {said}{more}").response()


def wrong_cursor(_: Request, error: Exception) -> Response:
    """Say what a cursor is."""
    return ProblemError(422, f"cursor: {error}").response()


def known(_: Request, error: Exception) -> Response:
    """Answer with the problem that was raised."""
    assert isinstance(error, ProblemError)  # noqa: S101 - as in `invalid`
    return error.response()


def by_framework(_: Request, error: Exception) -> Response:
    """Say what the framework found: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as in `invalid`
    headers = dict(error.headers or {})
    return ProblemError(error.status_code, FOUND.get(error.status_code, str(error.detail)), **headers).response()


def unexpected(_: Request, __: Exception) -> Response:
    """Say no more than that it is our mistake; the server's log has the rest."""
    return ProblemError(500, "something is wrong on our side; the log of the API says what").response()


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
    """Return what the OpenAPI document says of these answers."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in statuses
    }
