"""What a callback changes goes to the browser as one message, and nothing of it is lost."""

import asyncio
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.models import ColumnDataSource, Div
from bokeh.protocol import Protocol
from bokeh.server.connection import ServerConnection
from bokeh.server.session import ServerSession
from tornado.ioloop import IOLoop

from dashboard.one_message import MOST_IN_WORDS, OneMessageConnection


class Socket:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send_message(self, message: Any) -> None:
        self.sent.append(message)


class Page:
    """An open document with a text and a source."""

    def __init__(self, connection: Any = OneMessageConnection) -> None:
        self.text, self.source = Div(text="before"), ColumnDataSource({"x": [1]})
        self.document = Document()
        self.document.add_root(self.text)
        self.document.add_root(self.source)
        self.begun = self.document.to_json()
        self.session = ServerSession("one", self.document, io_loop=IOLoop.current())
        self.socket = Socket()
        self.connection = connection(Protocol(), self.socket, None, self.session)
        self.session.subscribe(self.connection)

    async def call(self, callback: Any) -> None:
        await self.session.with_document_locked(callback)

    def shown(self) -> Document:
        """Return what a browser has that had the document as it was, and all messages."""
        copy = Document.from_json(self.begun)
        for message in self.socket.sent:
            message.apply_to_document(copy)
        return copy

    def column(self) -> Any:
        """Return the source's column as a browser has it."""
        _, source = self.shown().roots
        return source.data["x"]


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


COLUMNS = {
    "numbers": np.array([1.5, np.nan, np.inf, -np.inf]),
    "whole": np.array([1, 2, 3, 2**40]),
    "short": np.array([1, -2, 3, 4], dtype=np.int8),
    "times": np.array(["2025-06-01T00:00", "2025-06-01T00:01", "NaT", "2025-06-01"], dtype="datetime64[ms]"),
    "words": np.array(["a", "b", "c", "d"]),
    "flags": np.array([True, False, True, False]),
    "long": np.arange(MOST_IN_WORDS + 1, dtype=np.float64),
    "table": np.arange(6.0).reshape(2, 3),
    "none": np.array([], dtype=np.float64),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_as_bokeh_would_send_it(name: str) -> None:
    """The copies of both messages have the same numbers of the same type."""

    async def run() -> None:
        ours, theirs = Page(), Page(ServerConnection)
        await ours.call(lambda: ours.source.update(data={"x": COLUMNS[name]}))
        await theirs.call(lambda: theirs.source.update(data={"x": COLUMNS[name]}))
        one, other = (np.asarray(page.column()) for page in (ours, theirs))
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)

    asyncio.run(run())


def test_only_long_arrays_have_frames_of_their_own() -> None:
    async def run() -> None:
        page = Page()
        for name in ("numbers", "whole", "long"):
            await page.call(lambda name=name: page.source.update(data={"x": COLUMNS[name]}))
        assert [message.header["num_buffers"] for message in page.socket.sent] == [0, 0, 1]

    asyncio.run(run())


def test_a_new_model_is_told_whole_once_and_then_by_its_reference() -> None:
    async def run() -> None:
        page = Page()
        new = Div(text="added")
        await page.call(lambda: page.document.add_root(new))
        await page.call(lambda: page.text.update(tags=[new]))
        first, second = (str(message.content) for message in page.socket.sent)
        assert "'added'" in first
        assert "'added'" not in second
        assert page.shown().roots[0].tags[0].text == "added"

    asyncio.run(run())
