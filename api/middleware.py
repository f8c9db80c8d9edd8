"""Security headers on each answer, and limits on hosts and body sizes."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ProblemError
from stack.same_origin import is_ours

BODY_BYTES = 16_384
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
}


OTHER_HOST = "unknown host name: FORETICK_HOSTS adds one"
TOO_LARGE = f"the body is larger than {BODY_BYTES} bytes"


class SecurityMiddleware:
    """An ASGI middleware."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = ()) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 for an unknown host, 413 for a too large body, else pass on, and add the headers."""
        named = scope["type"] == "lifespan" or is_ours(Headers(scope=scope).get("host", ""), self._hosts)
        if scope["type"] == "websocket" and not named:
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def guarded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_BYTES:
                raise HTTPException(413, TOO_LARGE)
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if not named:
            await ProblemError(403, OTHER_HOST).response()(scope, receive, with_headers)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > BODY_BYTES:
            await ProblemError(413, TOO_LARGE).response()(scope, receive, with_headers)
            return
        await self._app(scope, guarded, with_headers)
