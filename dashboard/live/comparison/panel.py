"""The table of models and horizons on one viewer's page."""

from dataclasses import replace

from psycopg import Connection

from dashboard.live.comparison.card import card, pressed
from dashboard.live.comparison.reader import Comparison, ComparisonKey
from dashboard.live.look import Look
from dashboard.live.view_state import Choice
from dashboard.polled_reader import PolledReader

Reader = PolledReader[Connection, ComparisonKey, Comparison | None]


class ComparisonPanel:
    """Keeps what it showed last, and is written anew only where that has changed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._shown: object = None
        self._html = ""

    def html(self, choice: Choice, look: Look, until: int | None = None) -> str:
        """Return the card of the chosen series; `until` [epoch ms] is when it is looked at in a replay, None now."""
        if choice.series is None:
            return ""
        reading = self._reader.view(ComparisonKey(choice.series, until))
        seen = choice, look, reading.value, reading.error
        if seen != self._shown:
            self._shown, self._html = seen, card(reading.value, choice.series, choice, look, reading.error)
        return self._html


def chosen(choice: Choice, name: str) -> Choice:
    """Return the choice after the press of a button: the model and horizon of the cell, if it was one of these."""
    found = pressed(name)
    return choice if found is None else replace(choice, model=found[0], horizon=found[1])
