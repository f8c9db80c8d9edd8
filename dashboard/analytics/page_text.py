"""The page's titles, its badge and its notices. Whatever comes from data is escaped."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Literal, NamedTuple

from dashboard.analytics.forecasts_reader import MOST_FORECASTS, Figures
from dashboard.analytics.scores_reader import Scores
from dashboard.analytics.view_state import Choice
from dashboard.html import escaped, moment, plain_moment, title
from dashboard.live.freshness import TO_FILL, TO_MEND
from dashboard.live.view_state import span_label
from dashboard.number_format import count
from dashboard.palette import Palette
from dashboard.polled_reader import Reading
from evaluation.sum_metrics import FEWEST
from observability.lag import length

SILENT_S = 30.0
"""After so long without an answer the database is silent: a month of twenty symbols takes it some of that."""
State = Literal["connecting", "blank", "live", "stale", "unreachable"]
TITLES = (
    *("skill_title", "coverage_title", "gain_title", "evidence_title", "reliability_title", "pit_title"),
    *("sharpness_title", "hour_title", "ic_title", "equity_title"),
)


class GroupTable(NamedTuple):
    """A table of errors: its heading, and which group of the figures it shows."""

    heading: str
    group: str


GROUPS = {
    "by_regime": GroupTable("Errors by regime", "regime"),
    "by_volatility": GroupTable("Errors by volatility tercile", "volatility"),
    "by_symbol": GroupTable("Errors by symbol", "symbol"),
}
NAMES = (*TITLES, *GROUPS, "board", "verdicts", "buttons", "log", "walk_forward", "basis", "policy")
"""The places of the page's texts."""


@dataclass(frozen=True)
class Freshness:
    """How current the page is: its state, a word for the badge, and a sentence; `moving`: a new forecast was seen."""

    state: State
    label: str
    detail: str
    moving: bool = False

    @classmethod
    def of(cls, reading: Reading[Scores], watched_s: float, limit_s: float) -> "Freshness":
        """Judge the scores: those of a stream that goes on change with every bar."""
        scores = reading.value
        if scores is None or reading.age_s is None:
            if reading.error is None:
                return cls("connecting", "connecting", "Reading the database.")
            return cls("blank", "database unreachable", f"{reading.error} Trying again every few seconds.")
        if reading.error is None and scores.newest is None:
            return cls("blank", *_nothing(scores))
        until = _until(scores.newest)
        if reading.error is not None or reading.age_s > SILENT_S:
            old = f"These figures were read {length(reading.age_s)} ago and end {until}."
            how = "silent" if reading.error is None else "unreachable"
            return cls("unreachable", f"database {how}", f"{reading.error or 'The database does not answer.'} {old}")
        silence = watched_s if scores.changed is None else time.monotonic() - scores.changed
        if silence > limit_s:
            least = "at least " if scores.changed is None else ""
            detail = f"No forecast was scored for {least}{length(silence)}: the figures end {until}. {TO_MEND}"
            return cls("stale", "stale", detail)
        moving = scores.changed is not None
        waits = "" if moving else "; no new one was seen since this page was opened"
        label = until if scores.newest is None else moment(scores.newest)
        return cls("live", label, f"read {length(reading.age_s)} ago{waits}", moving)


def _nothing(scores: Scores) -> tuple[str, str]:
    if scores.catalog.models:
        return "no outcomes", "No forecast of this choice has come true and been scored yet."
    return "no data", f"The database has no forecasts yet. {TO_FILL}"


def _until(newest: datetime | None) -> str:
    return "with nothing scored" if newest is None else f"with the forecast of {plain_moment(newest)}"


def badge(freshness: Freshness) -> str:
    """Return the state as a badge."""
    # Green is for what was seen to go on: figures that were only read may be those of a stream that has ended.
    waiting = freshness.state == "live" and not freshness.moving
    kind = "connecting" if waiting else "empty" if freshness.state == "blank" else freshness.state
    shown = escaped(freshness.label)
    words = f"<span>up to {shown}</span>" if freshness.state == "live" else shown
    return (
        f'<div class="badge {kind}" role="status" title="{escape(freshness.detail)}"><i class="dot"></i>{words}</div>'
    )


def notices(freshness: Freshness, notes: Sequence[str], errors: Sequence[str | None]) -> str:
    """Return what is not current, what of the address could not be followed, and what else cannot be read."""
    if freshness.state in ("blank", "connecting"):
        return ""
    lines = []
    if freshness.state in ("stale", "unreachable"):
        lines.append(f'<p class="{freshness.state}">{escape(freshness.detail)}</p>')
    others = dict.fromkeys(error for error in errors if error and error not in freshness.detail)
    lines += [f'<p class="unreachable">{escape(error)} What it shows is as it was last read.</p>' for error in others]
    lines += [f'<p class="note">{escape(note)}</p>' for note in notes]
    return "".join(lines)


def blank(freshness: Freshness) -> str:
    """Return the text that stands in place of the plots while there is nothing to draw."""
    if freshness.state not in ("blank", "connecting"):
        return ""
    heading = freshness.label.capitalize()
    return f'<div class="blank"><h2>{escape(heading)}</h2><p>{escape(freshness.detail)}</p></div>'


def reading(of: Reading[Any]) -> str:
    """Return what stands where something is not read yet."""
    if of.error is not None:
        return f'<p class="unreachable">{escape(of.error)}</p>'
    return '<p class="muted">Reading.</p>'


def basis(of: Reading[Figures | None]) -> str:
    """Return of which forecasts the figures of the chosen model are."""
    figures = of.value
    if figures is None:
        if of.age_s is not None and of.error is None:
            return '<p class="muted">No forecast of this model has come true in this window yet.</p>'
        return reading(of)
    least = f", the newest {count(MOST_FORECASTS)} of the window" if figures.truncated else ""
    return (
        f'<p class="muted">{escape(figures.key.model)}: {figures.forecasts:,} forecasts{least}, up to '
        f"{moment(figures.newest)}. These are computed anew every minute.</p>"
    )


def thin() -> str:
    """Return the reliability's title where there are too few forecasts for it."""
    return title("Reliability", f"each tenth of the forecasts needs {FEWEST}: too few yet", {})


def titles(
    choice: Choice, interval: str, models: Mapping[str, str], palette: Palette, challengers: Sequence[str]
) -> dict[str, str]:
    """Return the titles of the plots: what is shown, of what, and the colours."""
    market, model = choice.market, choice.model or ""
    ahead, window = span_label(market.horizon, interval), market.window
    own = models.get(model, palette.baseline)
    rolling = f"{ahead} ahead, rolling {_hours(window.rolling.total_seconds())}"
    versions = dict.fromkeys(challengers, own)
    return {
        "skill_title": title("Skill against naive", f"pinball, {rolling}", models, "line"),
        "coverage_title": title("Coverage of the 90 % interval", rolling, {}),
        "gain_title": title(
            "Challenger's gain", f"sum of relative gains {ahead} ahead, band: confidence sequence", versions, "line"
        ),
        "evidence_title": title(
            "Evidence", "e-value of the gains' weighted mean; the upper line decides", versions, "line"
        ),
        "reliability_title": title("Reliability", f"{model}, tenths by p(up), 95 %", {}),
        "pit_title": title("PIT histogram", f"{model}, 1 is calibrated, grey: 95 %", {}),
        "sharpness_title": title("Sharpness", "narrower is sharper, at equal coverage", {}),
        "hour_title": title("Errors by hour", model, {}),
        "ic_title": title("Rolling IC", f"{model}, {rolling}", {model: own, "no skill, 95 %": palette.muted}),
        "equity_title": title(
            "Policy on paper", f"{model}, share of the capital", {"net": own, "gross": palette.muted}, "line"
        ),
    }


def _hours(seconds: float) -> str:
    hours = round(seconds / 3_600)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"
