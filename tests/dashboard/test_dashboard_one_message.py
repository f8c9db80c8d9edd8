"""What a callback changes goes to the browser as one message, and nothing of it is lost."""

import asyncio
from typing import Any

import pytest
from bokeh.document import Document
from bokeh.models import ColumnDataSource, Div
from bokeh.protocol import Protocol
from bokeh.server.session import ServerSession
from tornado.ioloop import IOLoop

from dashboard.one_message import OneMessageConnection


class Socket:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send_message(self, message: Any) -> None:
        self.sent.append(message)


class Page:
    """An open document with a text and a source."""

    def __init__(self) -> None:
        self.text, self.source = Div(text="before"), ColumnDataSource({"x": [1]})
        self.document = Document()
        self.document.add_root(self.text)
        self.document.add_root(self.source)
        self.begun = self.document.to_json()
        self.session = ServerSession("one", self.document, io_loop=IOLoop.current())
        self.socket = Socket()
        self.connection = OneMessageConnection(Protocol(), self.socket, None, self.session)
        self.session.subscribe(self.connection)

    async def call(self, callback: Any) -> None:
        await self.session.with_document_locked(callback)

    def shown(self) -> Document:
        """Return what a browser has that had the document as it was, and all messages."""
        copy = Document.from_json(self.begun)
        for message in self.socket.sent:
            message.apply_to_document(copy)
        return copy


def test_the_changes_of_a_callback_are_one_message_in_their_order() -> None:
    async def run() -> None:
        page = Page()

        def change() -> None:
            page.text.text = "one"
            page.source.stream({"x": [2]})
            page.text.text = "two"
            page.document.add_root(Div(text="new"))

        await page.call(change)
        await page.call(lambda: page.source.stream({"x": [3]}))
        assert len(page.socket.sent) == 2
        text, source, new = page.shown().roots
        assert (text.text, list(source.data["x"]), new.text) == ("two", [1, 2, 3], "new")

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_what_was_changed_by_a_callback_that_fails_comes_with_the_next() -> None:
    async def run() -> None:
        page = Page()

        def fails() -> None:
            page.text.text = "changed"
            raise ValueError("planned")

        with pytest.raises(ValueError, match="planned"):
            await page.call(fails)
        await page.call(lambda: page.source.stream({"x": [2]}))
        text, source = page.shown().roots
        assert (text.text, list(source.data["x"])) == ("changed", [1, 2])

    asyncio.run(run())
