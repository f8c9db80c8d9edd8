"""Parses clients' times."""

from datetime import UTC, datetime
from typing import Any

from pydantic_core import PydanticCustomError


def moment(value: Any) -> int:
    """Return a time in epoch milliseconds: from epoch milliseconds, or ISO 8601, UTC if no zone is given.

    Raises PydanticCustomError if it is neither.

    >>> moment("2025-05-18"), moment("1747526400000")
    (1747526400000, 1747526400000)
    """
    text = str(value)
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    try:
        parsed = datetime.fromisoformat(text)
        return round(parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        reason = "{value} is no time, such as 2025-05-18T00:00:00Z or 1747526400000"
        raise PydanticCustomError("time", reason, {"value": repr(text[:40])}) from None
