"""Mail, Telegram, Slack, Discord and a hundred more, through apprise in a process of its own."""

import asyncio
import os
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from alerts.channel import DeliveryResult, Message
from alerts.channel_table import ChannelKind, Rate
from alerts.delivery.address_guard import ALLOWED, PrivateError
from alerts.delivery.apprise_process import TIMEOUT_S, Reply, Request
from alerts.store.secret_file import Secret
from settings import Settings, places

IDLE_S = 60.0
LONGEST_AFTER_S = 3_600.0
LONGEST_ERROR = 200
REFUSED = frozenset({("HTTP", 400), ("HTTP", 413), ("HTTP", 422), ("SMTP", 552), ("SMTP", 554)})
"""The codes about a message: it is unreadable, too long, or looks like spam. All others are about the channel."""
COMMAND = tuple(places.module("alerts.delivery.apprise_process"))
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
"""The environment of apprise's process: without our passwords, and without a proxy, which would bypass the guard."""


class AppriseChannel:
    """One subscriber's process, which starts with the first message and ends a minute after the last."""

    at_once = 1

    def __init__(self, url: str, allow_private: bool) -> None:
        self._url, self._allow_private = url, allow_private
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def send(self, message: Message) -> DeliveryResult:
        """Send the message's title and text."""
        severity = max((alert.severity for alert in message.alerts), key=("info", "warning", "critical").index)
        reply = await self.ask(Request(self._url, message.title, message.text, severity))
        if reply is None:
            return DeliveryResult("no answer in time")
        if reply.delivered:
            return DeliveryResult()
        if reply.blocked:
            return DeliveryResult(f"{reply.service} is at no public address; {ALLOWED}")
        text = f" ({reply.protocol} {reply.code}{f': {reply.why}' if reply.why else ''})" if reply.code else ""
        refused = (reply.protocol, reply.code) in REFUSED
        after = min(max(reply.after, 0.0), LONGEST_AFTER_S)
        return DeliveryResult(f"{reply.service or 'apprise'} refused it{text}"[:LONGEST_ERROR], refused, after)

    async def ask(self, request: Request) -> Reply | None:
        """Return the process's reply, None if there is none in time."""
        if self._idle is not None:
            self._idle.cancel()
        try:
            process = await self._started()
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - for mypy: both are pipes
            process.stdin.write(msgspec.json.encode(request) + b"\n")
            async with asyncio.timeout(TIMEOUT_S * 2):
                line = await process.stdout.readline()
            reply = msgspec.json.decode(line, type=Reply)
        except (OSError, TimeoutError, msgspec.MsgspecError):
            await self.close()
            return None
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._end)
        return reply

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND,
                *(("private",) if self._allow_private else ()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=places.environment(environment),
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
        if self._process is not None:
            self._end()
            await self._process.wait()
            self._process = None


async def prepare(address: str, known: Secret | None, allow_private: bool) -> tuple[str, Secret]:  # noqa: ARG001 - see `Prepare`
    """Return the service of an address, as apprise reads it, and the address."""
    process = AppriseChannel(address, allow_private)
    try:
        reply = await process.ask(Request(address))
    finally:
        await process.close()
    if reply is not None and reply.blocked:
        raise PrivateError(f"{reply.service} is at no public address; {ALLOWED}")
    if reply is None or not reply.delivered or reply.service is None:
        raise ValueError("apprise cannot read that address: https://github.com/caronc/apprise/wiki has the forms")
    # Where a service keeps its token in its address differs from one to the next: none of it is shown.
    return f"{urlsplit(address).scheme}://… ({reply.service})", Secret(address)


def open_apprise(secret: Secret | None, settings: Settings) -> AppriseChannel:
    """Return the channel to the address of a secret."""
    assert secret is not None  # noqa: S101 - for mypy: a channel with an address is opened with one
    return AppriseChannel(secret.url, settings.alerts_allow_private)


KIND = ChannelKind(prepare, open_apprise, Rate(6, 10, True))  # people read it
