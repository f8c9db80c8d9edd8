"""Prints changes on stderr while the stack starts or stops."""

import sys

from settings.text import escaped
from stack.state import StackState


class Progress:
    """Prints one line for each change of a component's state."""

    def __init__(self, *already: str) -> None:
        """Start without output; the states in `already` are not printed."""
        self.already = already
        self.told: dict[str, str] = {}

    def __call__(self, state: StackState) -> None:
        """Print the changes."""
        for name, status in state.components.items():
            waiting = status.state == "starting" and status.pid is None
            if waiting or self.told.get(name) == status.state:
                continue
            self.told[name] = status.state
            if status.state not in self.already:
                detail = status.last_error if status.state in ("restarting", "failed") else status.why or status.address
                sys.stderr.write(escaped(f"{name:>10}  {status.state}{f'  {detail}' if detail else ''}") + "\n")
        sys.stderr.flush()


def up_and_healthy(state: StackState) -> bool:
    """Return whether every component does its work or has none; steps that nothing waits for may still run."""
    return all(status.works and status.good() for status in state.components.values() if not status.once)


def failures(state: StackState) -> list[str]:
    """Return a line for each component of ours, or step, that was given up."""
    return [f"{name} failed: {status.last_error}" for name, status in state.components.items() if status.given_up()]


def not_well(state: StackState | None) -> list[str]:
    """Return a line for each component that does not do its work."""
    result = state.components.items() if state else ()
    return [f"{name} {status.state}: {status.why}" for name, status in result if not (status.once or status.works)]
