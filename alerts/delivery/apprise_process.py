"""Apprise in a process of its own: ``python -m alerts.delivery.apprise_process`` answers each line with a request.

This imposes the restrictions of our own webhooks on its hundred services: the process connects to public addresses
only, whatever the library, redirect or second DNS answer, because Python calls the hook below at every connect; a
service that hangs can be killed; and the output and logs of its libraries are discarded.
"""

import os
import socket
import sys
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from alerts.delivery.address_guard import is_public

TIMEOUT_S = 30
TYPES = {"info": "info", "warning": "warning", "critical": "failure"}
SAYS_WHY = "Telegram"
"""A service whose `description` of an error contains no secret: chat not found, bot was blocked by the user."""


class Request(Struct):
    """What to send, and where; without a body the address is only checked."""

    url: str
    title: str = ""
    body: str = ""
    severity: str = "info"


class Reply(Struct, kw_only=True):
    """Whether it was delivered. `code` is that of the refusal, in the `protocol` HTTP or SMTP, `why` in words where
    those are no secret; `after` is how many seconds the service asks to be left alone. `service` is its name.
    """

    delivered: bool
    service: str | None = None
    protocol: str = ""
    code: int | None = None
    why: str = ""
    after: float = 0.0
    blocked: bool = False


class LastRefusal:
    """The last refusal over HTTP or SMTP, since apprise itself reports only that there was one."""

    def __init__(self) -> None:
        self.protocol, self.why, self.after = "", "", 0.0
        self.code: int | None = None

    def forget(self) -> None:
        """Reset."""
        self.protocol, self.code, self.why, self.after = "", None, "", 0.0

    def watch(self) -> None:
        """Inspect every answer from now on."""
        from smtplib import SMTP  # noqa: PLC0415 - once the hook is in place

        from requests.adapters import HTTPAdapter  # noqa: PLC0415 - likewise

        send, get_reply = HTTPAdapter.send, SMTP.getreply

        def sent(adapter: HTTPAdapter, *arguments: Any, **options: Any) -> Any:
            response = send(adapter, *arguments, **options)
            self.http(response)
            return response

        def replied(client: SMTP) -> tuple[int, bytes]:
            code, text = get_reply(client)
            if code >= 400:
                self.protocol, self.code = "SMTP", code
            return code, text

        setattr(HTTPAdapter, "send", sent)  # noqa: B010 - for mypy: a method is replaced
        setattr(SMTP, "getreply", replied)  # noqa: B010 - likewise

    def http(self, response: Any) -> None:
        """Record an answer: its status, and the time to wait, from a header or in Telegram's and Discord's form."""
        if response.status_code < 400:
            return
        self.protocol, self.code = "HTTP", response.status_code
        result: Any = None
        with suppress(ValueError):
            result = response.json()
        values = result if isinstance(result, dict) else {}
        more = values.get("parameters")
        asked = (
            response.headers.get("retry-after"),
            values.get("retry_after"),
            isinstance(more, dict) and more.get("retry_after"),
        )
        for each in asked:
            with suppress(TypeError, ValueError):
                self.after = max(self.after, float(each or 0))
        self.why = str(values.get("description") or "")


class Blocked:
    """Refuses every connection that does not go to a public address, and records that it did."""

    def __init__(self) -> None:
        self.happened = self.on = False

    def install(self) -> None:
        """Refuse from now on, for as long as the process lives."""
        self.on = True
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Check an audit event of Python."""
        if event not in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            return
        address = arguments[1]
        if address is None or (isinstance(address, tuple) and is_public(str(address[0]))):
            return  # None: sendmsg on a socket that was connected, and checked, before
        self.happened = True
        raise ConnectionRefusedError("no public address")


def answer(request: Request, blocked: Blocked, seen: LastRefusal) -> Reply:
    """Send a request; for one without a body return whether it could be sent."""
    from apprise import Apprise, AppriseAsset, NotifyFormat  # noqa: PLC0415 - once the hook is in place

    blocked.happened = False
    seen.forget()
    asset = AppriseAsset(app_id="Foretick", app_desc="Foretick alerts", http_redirects=False)
    service = Apprise.instantiate(request.url, asset=asset, suppress_exceptions=True)
    if service is None:
        return Reply(delivered=False)
    name = str(service.service_name)
    if not request.body:
        return Reply(delivered=True, service=name, blocked=blocked.on and private(service))
    apprise = Apprise(asset=asset)
    apprise.add(service)
    kind: Any = TYPES.get(request.severity, "info")
    # As text: a service that sends HTML, such as mail, then escapes it.
    done = apprise.notify(request.body, request.title, kind, body_format=NotifyFormat.TEXT, timeout=TIMEOUT_S)
    if done:
        return Reply(delivered=True, service=name)
    why = seen.why if name == SAYS_WHY else ""
    return Reply(
        delivered=False,
        service=name,
        protocol=seen.protocol,
        code=seen.code,
        why=why,
        after=seen.after,
        blocked=blocked.happened,
    )


def private(service: Any) -> bool:
    """Return whether a service has a host of the user's own, which is at no public address now. Other services keep a
    token in the host's place, which no name server is to see.
    """
    if "host" not in service.template_tokens:
        return False
    host = getattr(service, "smtp_host", None) or service.host
    with suppress(OSError, UnicodeError):  # a host that has no address yet may have one later
        return not all(is_public(str(address[0])) for *_, address in socket.getaddrinfo(host, None))
    return False


def main() -> None:
    """Answer until standard input ends. The argument ``private`` allows private addresses."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0) as replies:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        blocked, seen = Blocked(), LastRefusal()
        if "private" not in sys.argv[1:]:
            blocked.install()
        seen.watch()
        for line in sys.stdin.buffer:
            try:
                reply = answer(msgspec.json.decode(line, type=Request), blocked, seen)
            except Exception:  # noqa: BLE001 - of any of its hundred services; its text may quote an address
                reply = Reply(delivered=False, blocked=blocked.happened)
            replies.write(msgspec.json.encode(reply) + b"\n")


if __name__ == "__main__":
    main()
