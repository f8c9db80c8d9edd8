"""The client's exceptions."""

import httpx
import msgspec


class ForetickError(Exception):
    """An error answer. `status` is HTTP's, None if the answer was not valid."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.detail, self.status = detail, status


class GoneError(ForetickError):
    """A stream cannot be resumed: the server no longer has the records after the id."""


def checked(response: httpx.Response) -> httpx.Response:
    """Return a good answer, read. Raises ForetickError with the server's line where it is none."""
    if response.is_success:
        return response
    response.read()
    try:
        detail = str(msgspec.json.decode(response.content)["detail"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        detail = response.reason_phrase
    kind = GoneError if response.status_code == httpx.codes.GONE else ForetickError
    raise kind(detail, response.status_code)


def pause(response: httpx.Response, otherwise: float) -> float:
    """Return how long the server asks to wait, in seconds."""
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return otherwise
