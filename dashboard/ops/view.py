"""What a viewer of the page has chosen, as the address has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from dashboard.ops.tables import Wanted
from storage.dead_letters import State, place_of

STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, kw_only=True)
class View:
    """The dead letters looked at, the component whose log is shown, and whether acknowledged alerts are shown too."""

    letters: Wanted = field(default_factory=Wanted)
    log: str | None = None
    every_alert: bool = False

    def query(self) -> dict[str, str | None]:
        """Return it as the address' query; None is the default."""
        some = self.letters
        return {
            "topic": some.topic,
            "reason": some.reason,
            "state": some.state if some.state != "new" else None,
            "group": "|".join(some.group) if some.group else None,
            "letter": str(some.letter) if some.letter else None,
            "log": self.log,
            "alerts": "all" if self.every_alert else None,
        }

    def chosen(self, choice: str) -> "View":
        """Return the view after a button of a text was pressed: its choice is ``WHAT|VALUE``.

        >>> View().chosen("letter|bars/0/17/3").query()["letter"], View().chosen("log|persist").log
        ('bars/0/17/3', 'persist')
        """
        what, _, value = choice.partition("|")
        if what == "log":
            return replace(self, log=value or None)
        if what == "alerts":
            return replace(self, every_alert=value == "all")
        if what == "group":
            topic, _, reason = value.partition("|")
            return replace(self, letters=replace(self.letters, group=(topic, reason) if topic else None, letter=None))
        if what == "letter":
            return replace(self, letters=replace(self.letters, letter=place_of(value) if value else None))
        return self


def parse(given: Mapping[str, str]) -> tuple[View, tuple[str, ...]]:
    """Return the view of an address' query, and a note on each part that is not valid."""
    notes = []
    wanted = Wanted(topic=given.get("topic") or None, reason=given.get("reason") or None)
    state = given.get("state", "new")
    if state in STATES:
        wanted = replace(wanted, state=state)
    else:
        notes.append(f"state={state[:40]} in the address is none of {', '.join(STATES)}: these are new letters.")
    view = View(letters=wanted, log=given.get("log") or None, every_alert=given.get("alerts") == "all")
    for name in ("group", "letter"):
        try:
            view = view.chosen(f"{name}|{given.get(name, '')}")
        except ValueError as error:
            notes.append(f"{error}.")
    return view, tuple(notes)
