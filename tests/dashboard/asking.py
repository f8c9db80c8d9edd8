"""Asks a dashboard for pages and actions as a program would, without a browser."""

import http.client
import json
import re
from typing import Any
from urllib.parse import urlsplit


def ask(address: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Return the status and the text of an answer; `headers` have underscores for hyphens."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


def token(address: str, page: str = "ops", **headers: str) -> str:
    """Return the token in a page."""
    status, text = ask(address, f"/{page}", **headers)
    found = re.search(r'name="foretick-token" content="([^"]+)"', text)
    assert found is not None, (status, text[:300])
    return found[1]


def act(address: str, action: str, page_token: str, request: dict[str, Any], **headers: str) -> tuple[int, str]:
    """Send an action as the page does; return the status and the line."""
    sent = {
        "Origin": address.rstrip("/"),
        "Content_Type": "application/json",
        "X_Foretick_Token": page_token,
        **headers,
    }
    status, text = ask(address, f"/actions/{action}", "POST", json.dumps(request).encode(), **sent)
    return status, text.strip()
