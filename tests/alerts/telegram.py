"""A server that speaks Telegram's Bot API as far as sendMessage goes, with its limits and its errors.

Source: https://core.telegram.org/bots/api, "Making requests", "sendMessage", "HTML style", "ResponseParameters".
"""

from html.parser import HTMLParser
from typing import Any

from aiohttp import web
from threaded import Threaded

TOKEN, CHAT = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr", "-1001234567890"
LONGEST = 4_096
TAGS = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "tg-spoiler", "blockquote"}
ERRORS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    429: "Too Many Requests: retry after 7",
    502: "Bad Gateway",
}


class Plain(HTMLParser):
    """The text that a reader sees of Telegram's HTML; `wrong` is what it cannot read."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.wrong, self._open = "", "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as its base
        if tag not in TAGS:
            self.wrong = f'Unsupported start tag "{tag}"'
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong = f'Unexpected end tag "{tag}"'

    def handle_data(self, data: str) -> None:
        self.text += data


class Telegram(Threaded):
    """Takes messages. `errors` are those of the next answers; when they are used up it is none."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.errors: list[int] = []

    async def _take(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN or self.errors[:1] == [401]:
            return _error(401)
        if self.errors:
            return _error(self.errors.pop(0))
        message = await request.json()
        if str(message["chat_id"]) != CHAT:
            return _error(400)
        seen = Plain()
        seen.feed(message["text"])
        seen.close()
        if seen.wrong:
            return _error(400, f"Bad Request: can't parse entities: {seen.wrong}")
        if not 0 < len(seen.text.encode("utf-16-le")) / 2 <= LONGEST:
            return _error(400, "Bad Request: message is too long")
        self.messages.append(message)
        self.texts.append(seen.text)
        return web.json_response({"ok": True, "result": {"message_id": len(self.messages)}})

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/bot{token}/sendMessage", self._take)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def _stop(self) -> None:
        await self._runner.cleanup()

    @property
    def api(self) -> str:
        """Return what stands before a bot's token in an address."""
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/bot"


def _error(code: int, why: str = "") -> web.Response:
    document: dict[str, Any] = {"ok": False, "error_code": code, "description": why or ERRORS[code]}
    if code == 429:
        document["parameters"] = {"retry_after": 7}
    return web.json_response(document, status=code)
