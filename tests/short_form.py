"""Which cases of a test the short form keeps: the others are marked `long`."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def keeping(kept: Container[Any], cases: Iterable[Any]) -> list[Any]:
    """Return the cases for `parametrize`; those that are not kept are long."""
    return [case if case in kept else pytest.param(case, marks=pytest.mark.long) for case in cases]
