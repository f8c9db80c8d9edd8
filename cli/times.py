"""Times as people type and read them: ISO 8601, UTC."""

from datetime import UTC, datetime

from cli.errors import UserError


def epoch_ms(text: str | None, option: str) -> int | None:
    """Return an ISO time as epoch ms, UTC where it names no zone. Raises UserError that names the option."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"{option} {text!r} is no time such as 2025-05-04 or 2025-05-04T15:33") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def iso(time: int | None) -> str:
    """Return epoch ms as a time to read, a dash for none."""
    return "-" if time is None else datetime.fromtimestamp(time / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def minute(time: int | None) -> str:
    """Return epoch ms as a time to read, to the minute, a dash for none."""
    return iso(time)[:16]
