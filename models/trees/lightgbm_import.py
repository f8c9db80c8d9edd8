"""LightGBM without scikit-learn and pandas, which it imports if they are installed, for interfaces not used here.

They are half of a worker's import time, which delays its recovery after a crash.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Hide packages that are not imported yet. For the start, while there is one thread."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules |= dict.fromkeys(hidden)  # None there makes `import` raise ImportError
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]


with without("sklearn", "pandas"):
    import lightgbm

__all__ = ["lightgbm"]
