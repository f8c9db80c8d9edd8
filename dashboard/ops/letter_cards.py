"""The card of dead letters: by reason, those of a reason, and one with its bytes; with what can be done about them."""

from collections.abc import Sequence
from html import escape

from dashboard.actions.button import Field, button
from dashboard.bridge import chooser
from dashboard.html import Html, escaped, moment
from dashboard.ops.html import (
    SECOND,
    Cell,
    Column,
    bar,
    note,
    shown_bytes,
    size,
    table,
    title,
    to_second,
    together,
    zoned,
)
from dashboard.ops.letter_actions import MOST_AT_ONCE
from dashboard.ops.tables import MOST_GROUPS, MOST_LETTERS, LetterLine, Tables, Wanted
from storage.dead_letters import Group, Resend, StoredDeadLetter

SHOWN_BYTES = 16_384
LONG = f"{SECOND} %Z"
STATES = {"new": "new", "retried": "sent again", "dropped": "dropped"}
KEPT = "The letter stays in the table, with who did what and why."


def groups(tables: Tables, wanted: Wanted) -> str:
    """Return the dead letters by topic and reason."""
    head = title("Dead letters", "Kafka records, or parts of them, that could not be read or used")
    if not tables.groups:
        chosen = "with that topic and reason" if wanted.topic or wanted.reason else ""
        return head + note(f"There is no dead letter {chosen or ''} that is {STATES[wanted.state]}.".replace("  ", " "))
    columns = (
        *(
            Column("topic", left=True),
            Column("reason", words=True),
            Column("letters"),
            Column(zoned("last"), left=True),
        ),
        Column("", left=True),
    )
    rows = [
        (one.topic, one.reason, f"{one.letters:,}", to_second(one.last), _group_buttons(one, wanted))
        for one in tables.groups
    ]
    more = note(f"The {MOST_GROUPS} newest; a filter shows others.") if len(rows) == MOST_GROUPS else ""
    return head + table(columns, rows, "Dead letters by reason") + more


def _group_buttons(one: Group, wanted: Wanted) -> Html:
    key = (one.topic, one.reason)
    parts = [chooser("Show", f"group|{one.topic}|{one.reason}", pressed=key == wanted.group)]
    if one.state == "new":
        request = {"topic": one.topic, "letter_reason": one.reason}
        about = f"{one.letters:,} of {one.topic}: {one.reason}\nAt most {MOST_AT_ONCE} at once, the oldest first."
        parts += [
            button(
                "letters-resend",
                "Send all again",
                request,
                title="Send all again",
                text=f"{about}\nEach goes to {one.topic} with its own key. {KEPT}",
                fields=[
                    Field(name="find", label="Replace this text in each (leave empty to send them as they are)"),
                    Field(name="replace", label="by"),
                ],
            ),
            button("letters-drop", "Drop all", request, title="Drop all", text=f"{about}\n{KEPT}", danger=True),
        ]
    return together(*parts)


def letters(tables: Tables, wanted: Wanted) -> str:
    """Return the letters of the opened topic and reason."""
    if wanted.group is None:
        return ""
    topic, reason = wanted.group
    head = f"<h3>{escape(topic)}: {escape(reason)}</h3>{chooser('Close', 'group||')}"
    if not tables.letters:
        return head + note(f"None of them is {STATES[wanted.state]} any more.")
    columns = (
        *(
            Column("letter", left=True),
            Column(zoned("time"), left=True),
            Column("size"),
            Column("begins with", words=True),
        ),
        Column("", left=True),
    )
    rows = [_letter_row(one, wanted) for one in tables.letters]
    more = note(f"The {MOST_LETTERS} oldest of them.") if len(rows) == MOST_LETTERS else ""
    return head + table(columns, rows, f"Dead letters of {topic}") + more


def _letter_row(one: LetterLine, wanted: Wanted) -> Sequence[Cell]:
    name = str(one.place)
    head = shown_bytes(one.head) + ("…" if one.size > len(one.head) else "")
    parts = [chooser("Open", f"letter|{name}", pressed=one.place == wanted.letter)]
    if wanted.state == "new":
        parts += [_resend(name, one.place.topic), _drop(name)]
    return name, to_second(one.time), size(one.size), Html(f"<code>{escape(head)}</code>"), together(*parts)


def letter(tables: Tables, wanted: Wanted) -> str:
    """Return the opened letter with its bytes and what was done about it."""
    if wanted.letter is None:
        return ""
    one = tables.letter
    if one is None:
        return note(f"There is no dead letter {wanted.letter}.") + chooser("Close", "letter|")
    name, cut = str(one.place), one.value[:SHOWN_BYTES]
    whole = len(one.value) if one.size is None else one.size
    shown = f"{size(whole)}" + ("" if len(cut) == whole else f", of which the first {size(len(cut))} are shown")
    key = "none" if one.key is None else shown_bytes(one.key)
    decided = "" if one.decided_at is None else f", {moment(one.decided_at, LONG)}"
    facts = (
        ("Origin", f"{one.topic}, partition {one.partition}, offset {one.offset}, row {one.row}"),
        *(("Time", moment(one.time, LONG)), ("State", Html(f"{STATES[one.state]}{decided}"))),
        *(("Reason", one.reason), ("Key", key), ("Value", shown)),
    )
    listed = "".join(f"<dt>{escape(term)}</dt><dd>{escaped(fact)}</dd>" for term, fact in facts)
    buttons = bar(_correct(one), _resend(name, one.topic), _drop(name), chooser("Close", "letter|"))
    return (
        f'<h3>{escape(name)}</h3><dl class="facts">{listed}</dl>'
        f'<pre class="bytes" tabindex="0" aria-label="Bytes of {escape(name)}">{escape(shown_bytes(cut))}</pre>'
        f"{buttons}{_history(tables.resends)}"
    )


def _history(resends: Sequence[Resend]) -> str:
    if not resends:
        return ""
    columns = (
        *(Column(zoned("sent again"), left=True), Column("by", left=True), Column("reason", words=True)),
        *(Column("value", words=True), Column("key", left=True)),
    )
    rows = [
        (
            to_second(one.time),
            one.who,
            one.reason,
            "as it was" if one.value is None else shown_bytes(one.value[:200]),
            "as it was" if one.key is None else shown_bytes(one.key),
        )
        for one in resends
    ]
    return table(columns, rows, "What was sent again")


def _correct(one: StoredDeadLetter) -> str:
    """Return the button that corrects a letter; of a cut one there is none: its end would be lost."""
    if not one.whole:
        return ""
    try:
        value, form = one.value.decode(), "text"
    except UnicodeDecodeError:
        value, form = one.value.hex(" "), "hex"
    what = "the value" if form == "text" else "the value in hexadecimal, since it is no text"
    return button(
        "letter-correct",
        "Correct and send again",
        {"letter": str(one.place), "form": form},
        title="Correct and send again",
        text=f"{one.reason}\nWhat you send goes to {one.topic} if it is a record of it now. {KEPT}",
        fields=[
            Field(name="value", label=what.capitalize(), kind="lines", value=value, required=True),
            Field(name="key", label="Another key in Kafka (leave empty to keep its own)"),
        ],
    )


def _resend(name: str, topic: str) -> str:
    text = f"{name} goes to {topic} again as it is. {KEPT}"
    return button("letter-resend", "Send again", {"letter": name}, title="Send again", text=text)


def _drop(name: str) -> str:
    return button("letter-drop", "Drop", {"letter": name}, title="Drop", text=f"{name}. {KEPT}", danger=True)
