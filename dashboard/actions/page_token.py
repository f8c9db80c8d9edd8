"""Tokens of served pages: whoever sends one has been served that page by this server, and not long ago."""

import hmac
import secrets
import time
from collections.abc import Callable

LIFE_S = 12 * 3_600
RENEWAL_S = 4 * 3_600
"""How often an open page is given a new one."""
HEADER = "X-Foretick-Token"


class PageTokens:
    """Issues and checks tokens ``PAGE.EXPIRY.MAC``; the key is made anew with each server, so a restart ends them."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._key, self._now = secrets.token_bytes(32), now

    def issue(self, page: str) -> str:
        """Return a new token of a page.

        >>> tokens = PageTokens(lambda: 0.0)
        >>> tokens.page_of(tokens.issue("ops")), tokens.page_of("ops.43200.0"), tokens.page_of("")
        ('ops', None, None)
        """
        text = f"{page}.{int(self._now()) + LIFE_S}"
        return f"{text}.{self._mac(text)}"

    def page_of(self, token: str) -> str | None:
        """Return the page of a valid token, None for any other text."""
        text, _, mac = token.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(text).encode()):
            return None
        page, _, expiry = text.rpartition(".")
        return page if int(expiry) > self._now() else None

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()
