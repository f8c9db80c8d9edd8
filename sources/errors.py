"""Errors of files that cannot be replayed."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class SourceError(ValueError):
    """A file, or a request about it, cannot be served: one line with what, where and what to do."""

    def __init__(self, text: str) -> None:
        # Names of files and of members of zips may hold anything.
        super().__init__(_CONTROL.sub("?", text))


class UnknownFormatError(SourceError):
    """A file is no table of a known layout. In a zip it is skipped."""


class NotTradedError(UnknownFormatError):
    """A file has prices that were not traded. Among several files it is skipped."""


class VenueAwayError(SourceError):
    """A venue that cannot be reached."""
