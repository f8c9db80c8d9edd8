"""Diagnoses a component: condition, since when, the most informative line of its log, and what to do."""

from dataclasses import dataclass
from pathlib import Path

from observability.condition import Condition, clock
from stack.log_tail import telling
from stack.state import Status

ADVICE = {
    "waiting": "it continues by itself once that is available",
    "lagging": "let it catch up; if its lag keeps growing, give it more CPU, or start a second worker",
    "looping": "./foretick logs {name} -n 50 shows why it ends; it is restarted automatically",
    "stuck": "it is restarted automatically; ./foretick logs {name}",
    "unknown": "./foretick logs {name}; if it stays so: ./foretick down, then ./foretick up",
    "restarting": "it is restarted automatically; ./foretick logs {name}",
    "failed": "./foretick logs {name}; fix the cause, then ./foretick down and ./foretick up",
}


@dataclass(frozen=True)
class Diagnosis:
    """`good`: no attention is needed. `advice` is None if there is nothing to do."""

    good: bool
    detail: str
    advice: str | None


def explain(name: str, status: Status, condition: Condition | None, logs: Path) -> Diagnosis:
    """Explain one component."""
    word = condition.word if condition else status.state
    good = condition.good() if condition else status.good()
    parts = [condition.text() if condition else word]
    since = condition.since if condition else status.since
    until = condition.until if condition else None
    if word != "healthy" and since:
        parts.append(f"since {clock(since)}")
    if until:
        parts.append(f"until {clock(until)}")
    if good:
        return Diagnosis(True, ", ".join(parts), None)
    if not condition and status.last_error:
        parts.append(status.last_error)
    line = telling(logs / f"{name}.log")
    if line and line not in parts[-1]:
        parts.append(f"its log: {line}")
    return Diagnosis(False, "; ".join(parts), ADVICE.get(word, ADVICE["unknown"]).format(name=name))
