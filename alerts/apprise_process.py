"""Apprise in a process of its own: ``python -m alerts.apprise_process`` reads a request a line and answers each.

So that its hundred services can be held to what our own webhooks are: this process connects to public addresses only,
whatever library makes the connection and whatever a redirect or a second DNS answer says, because Python asks the hook
below at every connect; a service that hangs can be killed; and what its libraries print or log goes nowhere.
"""

import logging
import os
import re
import sys
from typing import Any

import msgspec
from msgspec import Struct

from alerts.guard import is_public

TIMEOUT_S = 30
TYPES = {"info": "info", "warning": "warning", "critical": "failure"}
_CODE = re.compile(r"(?:error|code|status|http)[ =:/]*([1-5][0-9]{2})\b", re.IGNORECASE)


class Request(Struct):
    """What to send, and where; without a body the address is only looked at."""

    url: str
    title: str = ""
    body: str = ""
    severity: str = "info"


class Reply(Struct):
    """Whether it was delivered. `code` is the HTTP status of a refusal where apprise tells one; `service` the name."""

    delivered: bool
    service: str | None = None
    code: int | None = None
    blocked: bool = False


class Blocked:
    """Refuses every connection that does not go to a public address, and remembers that it did."""

    def __init__(self) -> None:
        self.happened = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at what Python is about to do."""
        if event not in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            return
        address = arguments[1]
        if address is None or (isinstance(address, tuple) and is_public(str(address[0]))):
            return  # None: sendmsg on a socket that was connected, and looked at, before
        self.happened = True
        raise ConnectionRefusedError("no public address")


def answer(request: Request, blocked: Blocked) -> Reply:
    """Send what is asked for."""
    from apprise import Apprise, AppriseAsset, NotifyFormat  # noqa: PLC0415 - once the hook is in place

    blocked.happened = False
    asset = AppriseAsset(app_id="Foretick", app_desc="Foretick alerts", http_redirects=False)
    service = Apprise.instantiate(request.url, asset=asset, suppress_exceptions=True)
    if service is None:
        return Reply(delivered=False)
    name = str(service.service_name)
    if not request.body:
        return Reply(delivered=True, service=name)
    codes: list[int] = []

    def noted(entry: Any, _: Any) -> None:
        # Only the three digits: the rest of what apprise logs may quote an address.
        codes.extend(int(code) for code in _CODE.findall(str(entry.message)))

    apprise = Apprise(asset=asset)
    apprise.add(service)
    kind: Any = TYPES.get(request.severity, "info")
    done = apprise.notify(
        request.body,
        request.title,
        kind,
        body_format=NotifyFormat.TEXT,  # a service that sends HTML, such as mail, then escapes it
        timeout=TIMEOUT_S,
        log_callback=noted,
        log_level=logging.WARNING,
    )
    return Reply(bool(done), name, codes[-1] if codes and not done else None, blocked.happened)


def main() -> None:
    """Answer until standard input ends. The argument ``private`` allows private addresses."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0) as replies:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        blocked = Blocked()
        if "private" not in sys.argv[1:]:
            sys.addaudithook(blocked)
        for line in sys.stdin.buffer:
            try:
                reply = answer(msgspec.json.decode(line, type=Request), blocked)
            except Exception:  # noqa: BLE001 - of any of its hundred services; its text may quote an address
                reply = Reply(delivered=False, blocked=blocked.happened)
            replies.write(msgspec.json.encode(reply) + b"\n")


if __name__ == "__main__":
    main()
