"""Gives an open page a new token before the old one ends: it may be open for days."""

import time
from collections.abc import Callable

from bokeh.document import Document

from dashboard.actions.page_token import RENEWAL_S, PageTokens
from dashboard.bridge import Bridge

LOOK_MS = 10_000
"""How often it is looked whether that is due. Bokeh keeps a page that was closed until the next call that it asked for:
one every four hours would keep it that long."""


class Renewal:
    """Renews the token of one document."""

    def __init__(
        self, document: Document, tokens: PageTokens, page: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._document, self._tokens, self._page, self._now = document, tokens, page, now
        self._due = now() + RENEWAL_S

    def start(self) -> None:
        """Look from now on."""
        self._document.add_periodic_callback(self.look, LOOK_MS)

    def look(self) -> None:
        """Give the page a new token if it is due."""
        if self._now() < self._due:
            return
        self._due = self._now() + RENEWAL_S
        bridge = self._document.select_one({"name": "bridge"})
        if isinstance(bridge, Bridge):
            bridge.token = self._tokens.issue(self._page)
