"""Waits for something that is on its way."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 20.0, what: str = "it holds") -> float:
    """Wait until a condition holds; return how long that took. Fails after so many seconds."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
