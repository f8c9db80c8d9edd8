"""Webhooks of our own: signed, with an id that stays the same when a message comes again."""

import time
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

from alerts.channel import Answer, Message
from alerts.guard import Lookup, RefusedError, lookup
from alerts.pinned import client
from alerts.signature import headers

LATER = frozenset({408, 425, 429})
LONGEST_AFTER_S = 3_600.0


def split(url: str) -> tuple[str, int]:
    """Return host and port of a webhook's address. Raises ValueError, which does not quote it, where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise ValueError("the webhook's address cannot be read; it looks like https://host/path") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the webhook's address must begin with https:// or http:// and name a host")
    return parts.hostname, port


def shown(url: str) -> str:
    """Return what may be shown of a webhook's address: its path and query may hold a secret."""
    host, port = split(url)
    scheme = urlsplit(url).scheme
    usual = 443 if scheme == "https" else 80
    return f"{scheme}://{host}{'' if port == usual else f':{port}'}/…"


class Webhook:
    """Sends to one address, over one connection that is kept."""

    at_once = 1

    def __init__(self, url: str, key: str, allow_private: bool, look_up: Lookup = lookup) -> None:
        self._url, self._key = url, key
        self._client = client(allow_private, look_up)

    async def send(self, message: Message) -> Answer:
        """Post the message; any 2xx takes it."""
        body = message.body()
        signed = headers(self._key, message.id, int(time.time()), body)
        every = signed | {"content-type": "application/json", "idempotency-key": message.id, "user-agent": "foretick"}
        try:
            async with self._client.stream("POST", self._url, content=body, headers=every) as response:
                return _answer(response)  # what it says is not read: only its status counts
        except RefusedError as error:
            return Answer(str(error))
        except httpx.TimeoutException:
            return Answer("no answer in time")
        except (httpx.HTTPError, OSError) as error:
            # Not its text: that may quote the address, which may hold a secret.
            return Answer(f"no connection ({type(error).__name__})")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _answer(response: httpx.Response) -> Answer:
    status = response.status_code
    if response.is_success:
        return Answer()
    after = 0.0
    with suppress(ValueError):  # a date, which is rare here: our own back-off will do
        after = min(max(float(response.headers.get("retry-after", 0)), 0.0), LONGEST_AFTER_S)
    if response.is_redirect:
        return Answer(f"HTTP {status}: redirects are not followed", refused=True)
    return Answer(f"HTTP {status}", refused=400 <= status < 500 and status not in LATER, after=after)
