"""Counts of a replay."""

from typing import Any

from msgspec import Struct

from topics.records import DeadLetter


class Refused(Struct):
    """Rows that are impossible for one reason: how many, and the first of them with its file and number."""

    rows: int
    file: str
    row: int
    text: str


class FileSummary(Struct, kw_only=True):
    """The interpretation of a table: its layout, its columns, the evidence for the interval and the market, what is
    left out, which lines above its rows are none, what else is to be known, and which columns are known and not needed.
    """

    file: str
    layout: str
    kind: str
    symbols: list[str]
    interval: str | None
    interval_told_by: str
    market: str
    columns: dict[str, str]
    times: str
    zone: str
    left_out: list[str]
    notes: list[str]
    remarks: list[str]
    needless: list[str] = []


class Counts(Struct, kw_only=True):
    """Counts of rows. `rows` of the files are `bars`, `ticks`, `duplicates`, `impossible`, `empty` (nothing traded),
    `unfinished` (of a bar that is not over), or `outside` what was asked for. Of the `duplicates` `conflicts` differ
    from the row that stayed, and `strangers` of those open elsewhere; `shifted` bars stood beside their interval.
    `gaps` are places where `missing_intervals` lack, and a price of `suspect` bars is hardly right. `first` and `last`
    are epoch ms.

    `sent` were sent by this run, `delivered_before` by an earlier one that was interrupted. `unknown` counts
    the cells beside the prices that cannot be, by field; `refused` has the impossible rows by reason, `passed_over`
    what is no table in a zip, and why. `examples` has the first and the last row of each series, where nothing is sent.
    """

    rows: int = 0
    bars: int = 0
    ticks: int = 0
    duplicates: int = 0
    impossible: int = 0
    empty: int = 0
    unfinished: int = 0
    conflicts: int = 0
    strangers: int = 0
    shifted: int = 0
    outside: int = 0
    gaps: int = 0
    missing_intervals: int = 0
    suspect: int = 0
    sent: int = 0
    delivered_before: int = 0
    first: int | None = None
    last: int | None = None
    symbols: dict[str, int] = {}
    seconds: float = 0.0
    complete_before: bool = False
    unknown: dict[str, int] = {}
    refused: dict[str, Refused] = {}
    passed_over: dict[str, str] = {}
    understood: list[FileSummary] = []
    examples: dict[str, list[dict[str, Any]]] = {}

    @property
    def handled(self) -> int:
        """The rows that are done with."""
        dropped = self.duplicates + self.impossible + self.empty + self.unfinished + self.outside
        return self.sent + self.delivered_before + dropped

    def refuse(self, letter: DeadLetter) -> None:
        """Count an impossible row by the kind of its reason; the first of a kind is kept as an example."""
        self.impossible += 1
        kind, _, detail = letter.reason.partition(": ")
        refused = self.refused.get(kind)
        if refused is None:
            self.refused[kind] = Refused(1, letter.topic, letter.offset, detail)
        else:
            refused.rows += 1

    def problem(self, percent: float) -> str | None:
        """Return why this counts as failed: no row could be used, or more than that share of them is impossible."""
        if self.complete_before:
            return None
        if not self.rows:
            named = ", ".join(one.file for one in self.understood)
            return f"{named or 'the input'} has a header and no rows"
        share = 100 * self.impossible / self.rows
        if not self.bars + self.ticks:
            return "no row could be used"
        strange = 100 * self.strangers / self.rows
        if strange > percent:
            return (
                f"{strange:.1f} % of the rows have the time of a later row and another open: the rows are of several "
                "markets, venues or intervals, or their times are cut short"
            )
        if share > percent:
            return (
                f"{share:.1f} % of the rows are impossible, more than the {percent:g} % of FORETICK_IMPOSSIBLE_PERCENT"
            )
        return None

    def span(self, first: int, last: int) -> None:
        """Widen the span of time."""
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
