"""What one look of a page changes goes to the browser as one message."""

from collections.abc import Awaitable
from typing import Any

from bokeh.document.events import DocumentPatchedEvent
from bokeh.server.connection import ServerConnection


class OneMessageConnection(ServerConnection):
    """Collects the changes until they are to be written, which is when the callback that made them has ended.

    Bokeh makes a message of each change, and for each goes through all models of the document: with some hundred models
    and twenty changes, that was most of the time of a look.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._changes: list[DocumentPatchedEvent] = []

    def send_patch_document(self, event: DocumentPatchedEvent) -> Awaitable[None]:
        """Take a change; what is returned writes all that were taken by then, when it is awaited."""
        self._changes.append(event)
        return self._write()

    async def _write(self) -> None:
        changes, self._changes = self._changes, []
        if changes:
            await self._socket.send_message(self.protocol.create("PATCH-DOC", changes))
