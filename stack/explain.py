"""What to say of a component: how it is, since when, the line of its log that tells most, and what to do."""

from dataclasses import dataclass
from pathlib import Path

from stack.state import Status
from stack.tail import telling
from stream.condition import Condition, clock

ADVICE = {
    "waiting": "it goes on by itself once that is there",
    "lagging": "let it catch up; where it falls ever further behind, give it more CPU, or start a second worker",
    "looping": "./foretick logs {name} -n 50 says why it ends; what is left of it is started again by itself",
    "stuck": "it is started again by itself; ./foretick logs {name}",
    "unknown": "./foretick logs {name}; where it stays so: ./foretick down, then ./foretick up",
    "restarting": "it is started again by itself; ./foretick logs {name}",
    "failed": "./foretick logs {name}; mend it, then ./foretick down and ./foretick up",
}


@dataclass(frozen=True)
class Explained:
    """`good`: nobody needs to look. `advice` is None where there is nothing to do."""

    good: bool
    detail: str
    advice: str | None


def explain(name: str, status: Status, told: Condition | None, logs: Path) -> Explained:
    """Explain one component."""
    word = told.word if told else status.state
    good = told.good() if told else status.good()
    parts = [told.text() if told else word]
    since = told.since if told else status.since
    until = told.until if told else None
    if word != "healthy" and since:
        parts.append(f"since {clock(since)}")
    if until:
        parts.append(f"until {clock(until)}")
    if good:
        return Explained(True, ", ".join(parts), None)
    if not told and status.last_error:
        parts.append(status.last_error)
    line = telling(logs / f"{name}.log")
    if line and line not in parts[-1]:
        parts.append(f"its log: {line}")
    return Explained(False, "; ".join(parts), ADVICE.get(word, ADVICE["unknown"]).format(name=name))
