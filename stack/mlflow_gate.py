"""Protects MLflow: requires the password, and hides the unneeded parts."""

import re
from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stack.basic_auth import USER, given
from stack.same_origin import is_same

_OPEN = re.compile(
    r"/|/version|/graphql|/get-artifact|/model-versions/get-artifact|/(static-files|build)/.*"
    r"|/(ajax-)?api/2\.0/mlflow-artifacts/artifacts(/.*)?"
    r"|/(ajax-)?api/[23]\.0/mlflow/(experiments|runs|metrics|registered-models|model-versions|logged-models"
    r"|artifacts/list|traces|get-trace-artifact|upload-artifact|server-info|ui-telemetry|scorers/list|datasets/search"
    r"|label-schemas/list|review-queues/list)(/.*)?",
    re.DOTALL,
)
"""The served paths: runs, models and the pages. Not those that fetch addresses, store keys of other services or run
code: webhooks, gateway, jobs, assistant, judges, demonstrations.
"""


class Gate:
    """An ASGI middleware: Basic authentication (as browsers and MLflow's client have it), or the password as a Bearer
    token; nothing for pages of other origins, whose requests would have the password stored by the browser.
    """

    def __init__(self, app: ASGIApp, password: str) -> None:
        self._app, self._password = app, password.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, 403 or 404, or pass on. `/health` is public: it shows only that the server runs."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] == "/health"):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        if not is_same(headers.get("origin"), headers.get("host", "")):
            await PlainTextResponse("only MLflow's own pages may send requests", 403)(scope, receive, send)
        elif not compare_digest(given(headers.get("authorization", "")), self._password):
            ask = {"WWW-Authenticate": 'Basic realm="MLflow of Foretick", charset="UTF-8"'}
            text = f"MLflow of Foretick: the user is {USER}; `foretick status` shows the file with the password"
            await PlainTextResponse(text, 401, ask)(scope, receive, send)
        elif not _OPEN.fullmatch(scope["path"]):
            await PlainTextResponse("Foretick does not serve this part of MLflow", 404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
