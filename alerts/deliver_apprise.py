"""Mail, Telegram, Slack, Discord and a hundred more, through apprise in a process of its own."""

import asyncio
import os
import sys
from contextlib import suppress

import msgspec

from alerts.apprise_process import TIMEOUT_S, Reply, Request
from alerts.channel import Answer, Message
from settings import ROOT

IDLE_S = 60.0
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
"""What of the environment apprise's process gets: no password of ours, and no proxy, which would go round the guard."""


class AppriseChannel:
    """One subscriber's process, which starts with the first message and ends a minute after the last."""

    at_once = 1

    def __init__(self, url: str, allow_private: bool) -> None:
        self._url, self._allow_private = url, allow_private
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def send(self, message: Message) -> Answer:
        """Send the message's title and text."""
        severity = max((alert.severity for alert in message.alerts), key=("info", "warning", "critical").index)
        reply = await self.ask(Request(self._url, message.title, message.text, severity))
        if reply is None:
            return Answer("no answer in time")
        if reply.delivered:
            return Answer()
        if reply.blocked:
            return Answer(
                f"{reply.service} is at no public address; FORETICK_ALERTS_ALLOW_PRIVATE=true allows private ones"
            )
        told = f" (HTTP {reply.code})" if reply.code else ""
        return Answer(f"{reply.service or 'apprise'} did not take it{told}")

    async def ask(self, request: Request) -> Reply | None:
        """Return the process's reply, None where it gives none in time."""
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
                sys.executable,
                "-m",
                "alerts.apprise_process",
                *(("private",) if self._allow_private else ()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment | {"PYTHONPATH": str(ROOT)},
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
