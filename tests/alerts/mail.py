"""A mail server on the loopback interface: SMTP with STARTTLS, TLS from the start, AUTH, and refusals.

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 4616 (PLAIN).
"""

import asyncio
import ssl
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Literal

from threaded import Threaded

USER, PASSWORD = "desk", "sesame"
Tls = Literal["none", "starttls", "implicit"]


@dataclass
class Letter:
    """What came: from whom to whom by the envelope, over TLS or not, and the message."""

    sender: str
    recipients: list[str]
    encrypted: bool
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        result = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(result, EmailMessage)
        return result


class MailServer(Threaded):
    """Takes letters from who is logged in. `refusals` are the answers to the next recipients."""

    def __init__(self, tls: Tls = "none", context: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.letters: list[Letter] = []
        self.refusals: list[str] = []
        self.port = 0
        self._tls, self._context = tls, context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # a client that does not trust the certificate leaves
            await self._talk(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        encrypted, logged_in, sender, recipients = self._tls == "implicit", False, "", list[str]()

        def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())

        say("220 mail.example ESMTP")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    offered = ["250-STARTTLS"] if self._tls == "starttls" and not encrypted else []
                    say("250-mail.example", *offered, "250 AUTH PLAIN")
                case "STARTTLS":
                    say("220 go ahead")
                    assert self._context is not None
                    await writer.drain()
                    await writer.start_tls(self._context)
                    encrypted = True
                case "AUTH":
                    _, user, password = b64decode(rest.split()[1]).decode().split("\0")
                    logged_in = (user.partition("@")[0], password) == (USER, PASSWORD)
                    say("235 welcome" if logged_in else "535 5.7.8 authentication credentials invalid")
                case "MAIL":
                    sender, recipients = _address(rest), []
                    say("250 OK" if logged_in else "530 5.7.0 authentication required")
                case "RCPT":
                    if self.refusals:
                        say(self.refusals.pop(0))
                    else:
                        recipients.append(_address(rest))
                        say("250 OK")
                case "DATA":
                    say("354 end with .")
                    raw = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                    self.letters.append(Letter(sender, recipients, encrypted, raw.replace(b"\r\n..", b"\r\n.")))
                    say("250 taken")
                case "RSET":
                    say("250 OK")
                case "QUIT":
                    say("221 bye")
                    break
                case _:
                    say("502 not here")

    async def _start(self) -> None:
        context = self._context if self._tls == "implicit" else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        if open_ := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(open_, timeout=10)


def _address(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]
