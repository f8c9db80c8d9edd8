"""Our own webhooks: signed, with an id that is the same when a message is repeated."""

import time
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

from alerts.channel import DeliveryResult, Message
from alerts.channel_table import ChannelKind, Rate
from alerts.delivery.address_guard import Lookup, RefusedError, checked, lookup
from alerts.delivery.pinned_transport import client
from alerts.delivery.webhook_signature import headers, new_key
from alerts.store.secret_file import Secret
from settings import Settings

LATER = frozenset({408, 425, 429})
LONGEST_AFTER_S = 3_600.0


def split(url: str) -> tuple[str, int]:
    """Return host and port of a webhook's address. Raises ValueError, which does not quote it, if it is invalid."""
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
    """Return the part of a webhook's address that may be shown: its path and query may contain a secret."""
    host, port = split(url)
    scheme = urlsplit(url).scheme
    usual = 443 if scheme == "https" else 80
    return f"{scheme}://{host}{'' if port == usual else f':{port}'}/…"


class Webhook:
    """Sends to one address, over one persistent connection."""

    at_once = 1

    def __init__(self, url: str, key: str, allow_private: bool, look_up: Lookup = lookup) -> None:
        self._url, self._key = url, key
        self._client = client(allow_private, look_up)

    async def send(self, message: Message) -> DeliveryResult:
        """Post the message; any 2xx accepts it."""
        body = message.body()
        signed = headers(self._key, message.id, int(time.time()), body)
        every = signed | {"content-type": "application/json", "idempotency-key": message.id, "user-agent": "foretick"}
        try:
            async with self._client.stream("POST", self._url, content=body, headers=every) as response:
                return _answer(response)  # its body is not read: only its status counts
        except RefusedError as error:
            return DeliveryResult(str(error))
        except httpx.TimeoutException:
            return DeliveryResult("no answer in time")
        except (httpx.HTTPError, OSError) as error:
            # Not its text: that may quote the address, which may hold a secret.
            return DeliveryResult(f"no connection ({type(error).__name__})")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _answer(response: httpx.Response) -> DeliveryResult:
    status = response.status_code
    if response.is_success:
        return DeliveryResult()
    after = 0.0
    with suppress(ValueError):  # a date, which is rare here: our own back-off will do
        after = min(max(float(response.headers.get("retry-after", 0)), 0.0), LONGEST_AFTER_S)
    if response.is_redirect:
        return DeliveryResult(f"HTTP {status}: redirects are not followed", refused=True)
    return DeliveryResult(f"HTTP {status}", refused=400 <= status < 500 and status not in LATER, after=after)


async def prepare(address: str, known: Secret | None, allow_private: bool) -> tuple[str, Secret]:
    """Return what may be shown of an address, and it with its key: a new one unless the address stays."""
    await checked(*split(address), allow_private)
    kept = known.key if known is not None and known.url == address else None
    return shown(address), Secret(address, kept or new_key())


def open_webhook(secret: Secret | None, settings: Settings) -> Webhook:
    """Return the channel to the address of a secret."""
    assert secret is not None  # noqa: S101 - for mypy: a channel with an address is opened with one
    return Webhook(secret.url, secret.key or "", settings.alerts_allow_private)


KIND = ChannelKind(prepare, open_webhook, Rate(600, 100, False))
