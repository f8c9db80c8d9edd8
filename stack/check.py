"""One check of `doctor` or `upgrade --check`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One check; `advice` is what to do, None if nothing is needed."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    advice: str | None = None
