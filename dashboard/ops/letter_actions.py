"""What can be done about dead letters, one or all of a reason: send them again, as they are or corrected, or drop them.

A letter whose name or reason has changed meanwhile is not touched: an action names what the viewer saw.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Literal

from aiokafka.errors import KafkaError
from msgspec import Meta
from psycopg import Connection

from dashboard.actions.action import Action, ActionError, ActionRequest
from dashboard.actions.audit import WHO
from dashboard.ops.connection import connected
from settings import Settings
from storage import dead_letters
from storage.dead_letters import StoredDeadLetter
from stream.retry import Correction, RetryError, send_again

MOST_AT_ONCE = 200
"""How many letters one action takes: each Kafka record is read and sent by itself."""
Text = Annotated[str, Meta(max_length=1_000_000)]


class OneLetter(ActionRequest):
    """A letter by its name, ``TOPIC/PARTITION/OFFSET/ROW``."""

    letter: str


class CorrectedLetter(OneLetter):
    """A letter, with the value that is sent instead of its own: text, or hexadecimal digits; `key` "" is its own."""

    value: Text
    form: Literal["text", "hex"] = "text"
    key: Annotated[str, Meta(max_length=1_000)] = ""


class LettersOfReason(ActionRequest):
    """The new letters of a topic with exactly that reason."""

    topic: str
    letter_reason: str


class CorrectedLetters(LettersOfReason):
    """The same; `find` is text that is replaced in each, and those without it are left alone. None if it is empty."""

    find: Annotated[str, Meta(max_length=10_000)] = ""
    replace: Annotated[str, Meta(max_length=10_000)] = ""


def resend(settings: Settings, request: OneLetter) -> str:
    """Send a letter again as it is."""
    with connected(settings) as connection:
        letter = _letter(connection, request.letter)
        _send(settings, connection, [letter], request.reason, None)
    return f"{letter.place} was sent to {letter.topic} again"


def correct(settings: Settings, request: CorrectedLetter) -> str:
    """Send a letter again with another value."""
    correction = Correction(_bytes(request), request.key.encode() or None)
    with connected(settings) as connection:
        letter = _letter(connection, request.letter)
        _send(settings, connection, [letter], request.reason, correction)
    return f"{letter.place} was corrected and sent to {letter.topic} again"


def drop(settings: Settings, request: OneLetter) -> str:
    """Mark a letter as dropped."""
    with connected(settings) as connection:
        letter = _letter(connection, request.letter)
        dead_letters.decide(connection, [letter], "dropped")
    return f"{letter.place} was dropped; it stays in the table"


def resend_all(settings: Settings, request: CorrectedLetters) -> str:
    """Send the letters of a reason again; one that cannot be sent does not keep back the others."""
    sent, alone, failed = 0, 0, []
    with connected(settings) as connection:
        some = _of_reason(connection, request)
        for _, of_record in groupby(some, key=lambda one: (one.topic, one.partition, one.offset)):
            for part, correction in _corrected(list(of_record), request):
                if not part:
                    alone += 1
                    continue
                try:
                    _send(settings, connection, part, request.reason, correction)
                except RefusedLetterError as error:
                    failed.append(str(error))
                except ActionError as error:
                    raise ActionError(f"{error}; {sent} were sent again before") from None
                else:
                    sent += len(part)
    more = f"; up to {MOST_AT_ONCE} at once, so there may be more" if len(some) == MOST_AT_ONCE else ""
    left = f"; {alone} without that text were left alone" if alone else ""
    not_sent = f"; {len(failed)} could not be sent: {failed[0]}" if failed else ""
    if not sent:
        raise ActionError(f"none was sent again{left}{not_sent}".replace("again; ", "again: ", 1))
    return f"{sent} sent to {request.topic} again{left}{not_sent}{more}"


def drop_all(settings: Settings, request: LettersOfReason) -> str:
    """Mark the letters of a reason as dropped."""
    with connected(settings) as connection:
        some = _of_reason(connection, request)
        dead_letters.decide(connection, some, "dropped")
    more = f"; up to {MOST_AT_ONCE} at once, so there may be more" if len(some) == MOST_AT_ONCE else ""
    return f"{len(some)} dropped{more}; they stay in the table"


class RefusedLetterError(ActionError):
    """A letter that cannot be sent, whatever Kafka does."""


def _send(
    settings: Settings,
    connection: Connection,
    some: Sequence[StoredDeadLetter],
    why: str,
    correction: Correction | None,
) -> None:
    try:
        send_again(settings.broker, connection, some, who=WHO, why=why, correction=correction)
    except RetryError as error:
        raise RefusedLetterError(str(error)) from None
    except (KafkaError, TimeoutError, OSError) as error:
        text = str(error) or type(error).__name__
        raise ActionError(f"Kafka at {settings.kafka} did not accept it ({text})") from None


def _corrected(
    some: list[StoredDeadLetter], request: CorrectedLetters
) -> list[tuple[list[StoredDeadLetter], Correction | None]]:
    """Return what is sent of one Kafka record: the letters together, or each with its correction; none of one without
    the text."""
    if not request.find:
        return [(some, None)]
    old, new = request.find.encode(), request.replace.encode()
    return [
        ([one], Correction(one.value.replace(old, new))) if one.whole and old in one.value else ([], None)
        for one in some
    ]


def _bytes(request: CorrectedLetter) -> bytes:
    if request.form == "text":
        return request.value.encode()
    try:
        return bytes.fromhex(request.value)
    except ValueError:
        raise ActionError("the value is not in hexadecimal: pairs of the digits 0 to 9 and a to f") from None


def _letter(connection: Connection, name: str) -> StoredDeadLetter:
    try:
        place = dead_letters.place_of(name)
    except ValueError as error:
        raise ActionError(str(error)) from None
    found = dead_letters.letters(connection, place)
    if place.row is None or not found:
        raise ActionError(f"there is no dead letter {name}")
    return found[0]


def _of_reason(connection: Connection, request: LettersOfReason) -> list[StoredDeadLetter]:
    some = dead_letters.of_group(connection, request.topic, request.letter_reason, "new", MOST_AT_ONCE)
    if not some:
        raise ActionError(f"{request.topic} has no new dead letter with that reason any more")
    return sorted(some, key=lambda one: (one.partition, one.offset, one.row))


LETTER_ACTIONS = (
    Action("letter-resend", OneLetter, resend),
    Action("letter-correct", CorrectedLetter, correct),
    Action("letter-drop", OneLetter, drop),
    Action("letters-resend", CorrectedLetters, resend_all),
    Action("letters-drop", LettersOfReason, drop_all),
)
