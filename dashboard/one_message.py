"""What one look of a page changes goes to the browser as one message, of few frames."""

import sys
from collections.abc import Awaitable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.core.serialization import Serializer
from bokeh.document.document import Document
from bokeh.document.events import DocumentPatchedEvent
from bokeh.document.json import PatchJson
from bokeh.model import Model
from bokeh.protocol.messages.patch_doc import patch_doc
from bokeh.server.connection import ServerConnection
from bokeh.util.serialization import array_encoding_disabled, transform_array

MOST_IN_WORDS = 256
"""An array of no more numbers goes inside the message's text: two frames of its own cost both ends more."""


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
            await self._socket.send_message(message(changes))


def message(changes: list[DocumentPatchedEvent]) -> patch_doc:
    """Return the message that makes these changes, all of one document."""
    document = changes[0].document
    serializer = FewFrames(document)
    result = patch_doc(patch_doc.create_header(), {}, PatchJson(events=serializer.encode(changes)))
    document.models.flush_synced(lambda model: not serializer.has_ref(model))
    result.add_buffers(*serializer.buffers)
    return result


class FewFrames(Serializer):
    """Writes small arrays into the text, and asks what the browser knows of models only where a model is written.

    Bokeh sends each array as two frames beside the text, and lists all models for each message: a live page had some
    290 frames a second of 200 bytes.
    """

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document

    @cached_property
    def _known(self) -> set[Model]:
        return self._document.models.synced_references

    def get_ref(self, obj: Any) -> Any:
        """Return the reference to what the browser has, None to what it has not."""
        if isinstance(obj, Model) and obj in self._known:
            return obj.ref
        return super().get_ref(obj)

    def encode(self, obj: Any) -> Any:
        """Return what stands for a value in the message."""
        if isinstance(obj, np.ndarray) and 0 < obj.size <= MOST_IN_WORDS:
            return self._in_words(obj)
        return super().encode(obj)

    def _in_words(self, obj: npt.NDArray[Any]) -> Any:
        array = transform_array(obj)
        if array_encoding_disabled(array):
            return super().encode(obj)
        numbers = array.ravel().tolist()
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            numbers = super().encode(numbers)
        shape, dtype = list(array.shape), array.dtype.name
        return {"type": "ndarray", "array": numbers, "shape": shape, "dtype": dtype, "order": sys.byteorder}
