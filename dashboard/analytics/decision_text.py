"""The challengers' tests in words, the log of decisions, and the buttons with the evidence that they show."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from math import isfinite

from dashboard.actions.button import button
from dashboard.analytics.challenge_reader import Challenge, Decisions
from dashboard.html import moment, plain_moment
from dashboard.number_format import DASH, percent
from models.serving.deployment import champions
from topics.records import Deployment

MOST_SHOWN = 30
CHOOSING = ("serve", "promote", "rollback")
"""The decisions that choose a champion."""
RESULTS = {"won": "it has won its test", "lost": "it has lost its test"}


def number(evidence: float) -> str:
    """Return an e-value."""
    return f"{evidence:,.2f}" if evidence < 100 else f"{evidence:,.0f}" if evidence < 1e6 else f"{evidence:.1e}"


def verdict(of: Challenge) -> str:
    """Return the state of a test in sentences, as plain text."""
    pair, evidence = of.pair, of.evidence
    bars, enough = evidence["bars"], 1 / of.alpha
    if not bars:
        return f"Challenger {pair.challenger} has no forecast yet that was scored beside one of {pair.champion}."
    gains = ", ".join(
        f"{percent(value, 2, sign=True)} {name.removeprefix('gain_')} ahead"
        for name, value in evidence.items()
        if name.startswith("gain_")
    )
    mean = percent(evidence["weighted_gain"], 2, sign=True) if "weighted_gain" in evidence else "not known yet"
    if of.outcome is not None:
        state = f"{RESULTS[of.outcome]}."
    elif bars < of.least:
        state = f"it is decided from {of.least:,} bars on."
    else:
        state = "it is not decided."
    for_it, against_it = number(evidence["e_value"]), number(evidence["e_value_against"])
    return (
        f"Challenger {pair.challenger} against {pair.champion}, after {bars:,.0f} bars: {state} The e-value is "
        f"{for_it} for it and {against_it} against it, and {enough:g} decides: one that is not better by more than "
        f"{percent(evidence['margin'], 2)} reaches that in at most {percent(of.alpha, 0)} of the tests, or in "
        f"more if its losses come in rare episodes. Gains in pinball loss, above 0 where the challenger's is smaller: "
        f"{gains}. What is tested is their weighted mean, {mean}: a horizon h has the weight 1/√h, since "
        "its labels overlap."
    )


def challenges(of: Decisions) -> str:
    """Return what the tests say, as HTML."""
    now = of.newest
    if now is None:
        return '<p class="muted">No decision about this model is in the log yet.</p>'
    if now.champion is None:
        return '<p class="muted">This model is retired: no version of it serves.</p>'
    if not of.challenges:
        return f'<p class="muted">{escape(now.champion)} serves, and no version challenges it now.</p>'
    end = "The monitor promotes a winner by itself." if of.promotes else "A winner is promoted by a person only."
    return "".join(f"<p>{escape(verdict(one))}</p>" for one in of.challenges) + f'<p class="muted">{end}</p>'


def buttons(of: Decisions) -> str:
    """Return a button for each challenger, and one that rolls the last promotion back where there is one."""
    now = of.newest
    if now is None or now.champion is None:
        return ""
    made = [
        button(
            "promote",
            f"Promote {one.pair.challenger}",
            {
                "model": of.model,
                "version": one.pair.challenger,
                "number": now.number,
                "evidence": {name: value for name, value in one.evidence.items() if isfinite(value)},
            },
            title=f"Promote {one.pair.challenger}",
            text=f"{verdict(one)}\n\n{now.champion} becomes the standby, which a rollback brings back.",
            danger=True,
        )
        for one in of.challenges
    ]
    before = champions(of.log)
    if len(before) > 1:
        made.append(
            button(
                "rollback",
                f"Roll back to {before[-2]}",
                {"model": of.model, "number": now.number},
                title=f"Roll back to {before[-2]}",
                text=f"{before[-2]} serves again in place of {now.champion}.\n\n{_promoted(of.log)}",
                danger=True,
            )
        )
    return f'<div class="buttons">{"".join(made)}</div>' if made else ""


def _promoted(log: Sequence[Deployment]) -> str:
    """Return why the champion is in service."""
    now = log[-1]
    made = next((one for one in reversed(log) if one.champion == now.champion and one.action in CHOOSING), now)
    shown = evidence(made.evidence)
    return (
        f"Decision {made.number} of {plain_moment(_time(made))}, by {made.decided_by}: "
        f"{made.why or 'no reason was given'}." + (f"\nIts evidence: {shown}." if shown != DASH else "")
    )


def evidence(values: Mapping[str, float] | None) -> str:
    """Return a decision's evidence in words."""
    known = values or {}
    parts = [
        text
        for name, text in (
            ("e_value", f"e-value {number(known.get('e_value', 0.0))}"),
            ("e_value_against", f"{number(known.get('e_value_against', 0.0))} against it"),
            ("bars", f"{known.get('bars', 0.0):,.0f} bars"),
            ("weighted_gain", f"weighted gain {percent(known.get('weighted_gain', 0.0), 2, sign=True)}"),
        )
        if name in known
    ]
    return ", ".join(parts) or DASH


def log(of: Decisions) -> str:
    """Return the newest decisions, the newest first."""
    if not of.log:
        return '<p class="muted">Nothing was decided about this model yet.</p>'
    lines = [
        f"<tr><td>{one.number}</td><td>{moment(_time(one))}</td><th>{escape(one.action)}</th>"
        f"<td>{escape(one.champion or DASH)}</td><td>{escape(', '.join(one.challengers) or DASH)}</td>"
        f"<td>{escape(one.standby or DASH)}</td><td>{escape(one.decided_by or DASH)}</td>"
        f'<td class="why">{escape(one.why or DASH)}</td><td>{escape(evidence(one.evidence))}</td></tr>'
        for one in reversed(of.log[-MOST_SHOWN:])
    ]
    heads = ("No.", "At", "Decision", "Champion", "Challengers", "Standby", "By", "Why", "Evidence")
    return (
        '<div class="wide"><table class="log" aria-label="Decisions"><tr>'
        f"{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
        f"{''.join(lines)}</table></div>"
    )


def _time(one: Deployment) -> datetime:
    return datetime.fromtimestamp(one.time / 1000, UTC)
