"""Authorises requests: by token, scope and rate."""

import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from api.metrics import STREAMS
from api.problems import ProblemError
from api.tokens import Scope, Token, TokenError, Tokens
from stack.rate_limit import RateLimiter

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="created by `foretick api token create`",
)
log = logging.getLogger("foretick")
SUBPROTOCOL = "foretick.v1"
"""A page in a browser cannot set a WebSocket's headers: it offers this subprotocol, and ``token.TOKEN`` as another."""


@dataclass
class Access:
    """The state of clients. `streams` is the most open streams per token."""

    tokens: Tokens
    buckets: RateLimiter
    streams: int
    open: Counter[str] = field(default_factory=Counter)

    def enter(self, connection: HTTPConnection, scope: Scope) -> Token:
        """Return the token of an authorised request. Raises ProblemError 401, 403, 429 or 503."""
        text = given(connection)
        if text is None:
            raise ProblemError(401, "no token: send the header Authorization: Bearer TOKEN", WWW_Authenticate="Bearer")
        try:
            token = self.tokens.find(text)
        except (TokenError, OSError) as error:
            log.error("no request can be authorised: %s", error)
            raise ProblemError(503, "the tokens cannot be read; the API's log has the reason") from None
        if token is None:
            raise ProblemError(401, "the token is unknown: revoked, or incomplete", WWW_Authenticate="Bearer")
        wait = self.buckets.wait(token.id)
        if wait:
            seconds = str(math.ceil(wait))
            raise ProblemError(
                429, f"token {token.name!r} sends too many requests; wait {seconds} s", Retry_After=seconds
            )
        if scope not in token.scopes and "admin" not in token.scopes:
            raise ProblemError(
                403, f"token {token.name!r} does not have the scope {scope}; it has {', '.join(token.scopes)}"
            )
        return token

    def holds(self, token: Token) -> bool:
        """Return whether an authorised token is still valid."""
        try:
            return token in self.tokens.all()
        except (TokenError, OSError):
            return False

    @contextmanager
    def streaming(self, token: Token, topic: str) -> Iterator[None]:
        """Count a stream of a topic while it is open. Raises ProblemError 429 where the token has too many."""
        if self.open[token.id] >= self.streams:
            raise ProblemError(
                429, f"token {token.name!r} has {self.streams} streams open, the maximum", Retry_After="5"
            )
        self.open[token.id] += 1
        try:
            with STREAMS.labels(topic).track_inprogress():
                yield
        finally:
            self.open[token.id] -= 1


def given(connection: HTTPConnection) -> str | None:
    """Return the token of a request, None if there is none."""
    scheme, _, text = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    for offered in connection.scope.get("subprotocols", ()):
        if offered.startswith("token."):
            return str(offered.removeprefix("token."))
    return None


def needs(scope: Scope) -> Callable[[Request], Awaitable[Token]]:
    """Return a dependency that requires a token with that scope."""

    async def enter(request: Request) -> Token:
        access: Access = request.app.state.access
        return access.enter(request, scope)

    return enter
