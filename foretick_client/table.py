"""A table of the API: read page by page while it is iterated, or as a whole into Arrow or pandas."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx
import msgspec
from msgspec import Struct

from foretick_client.errors import checked, pause

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

R = TypeVar("R", bound=Struct)
ATTEMPTS, PAUSE_S = 5, 1.0
BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Table(Generic[R]):
    """What was asked for; nothing is read before it is iterated, and it can be iterated again."""

    http: httpx.Client
    path: str
    row: type[R]
    asked: Mapping[str, Any]

    def __iter__(self) -> Iterator[R]:
        """Yield the rows. Raises ForetickError, and httpx.TransportError where the server does not answer."""
        decoder = msgspec.json.Decoder(_page(self.row))
        for response in self._pages("json"):
            yield from decoder.decode(response.content).rows

    def arrow(self) -> "pa.Table":
        """Return all rows as an Arrow table; times have their type."""
        import pyarrow as pa  # noqa: PLC0415 - for whoever wants it

        return pa.concat_tables(pa.ipc.open_stream(response.content).read_all() for response in self._pages("arrow"))

    def pandas(self) -> "pd.DataFrame":
        """Return all rows as a pandas frame."""
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame

    def _pages(self, form: str) -> Iterator[httpx.Response]:
        url = httpx.URL(f"/v1/{self.path}", params={**self.asked, "format": form})
        while True:
            response = get(self.http, url)
            yield response
            if "next" not in response.links:
                return
            url = httpx.URL(response.links["next"]["url"])


def get(http: httpx.Client, url: httpx.URL) -> httpx.Response:
    """Return a good answer; a server that is busy is asked again when it says so.

    Raises ForetickError, and httpx.TransportError where the server does not answer.
    """
    for attempt in range(1, ATTEMPTS + 1):
        response = http.get(url)
        if response.status_code not in BUSY or attempt == ATTEMPTS:
            break
        time.sleep(pause(response, PAUSE_S))
    return checked(response)


def _page(row: type[R]) -> Any:
    return msgspec.defstruct("Page", [("rows", list[row])])  # type: ignore[valid-type] # msgspec takes a type that is known only when it runs
