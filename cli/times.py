"""Parses and formats times: ISO 8601, UTC."""

from datetime import UTC, datetime

from cli.errors import UserError


def epoch_ms(text: str | None, option: str) -> int | None:
    """Return an ISO time as epoch ms, UTC if it has no zone. Raises UserError that names the option."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"{option} {text!r} is no time such as 2025-05-04 or 2025-05-04T15:33") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def span(start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """Return `--from` and `--to` as epoch ms. Raises UserError if one is no time, or if the span is empty."""
    first, last = epoch_ms(start, "--from"), epoch_ms(end, "--to")
    if first is not None and last is not None and last <= first:
        raise UserError(f"--to {end} is not later than --from {start}: there is nothing between them")
    return first, last


def iso(time: int | None) -> str:
    """Return epoch ms as text, a dash for None."""
    return "-" if time is None else datetime.fromtimestamp(time / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def minute(time: int | None) -> str:
    """Return epoch ms as text, to the minute, a dash for None."""
    return iso(time)[:16]
