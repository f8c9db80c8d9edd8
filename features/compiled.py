"""The compiler: numba without fast-math, so that a number does not depend on how the rows were cut into batches."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Return the function compiled to machine code on its first call, or as a part of a compiled caller."""
    return cast(F, njit(error_model="numpy")(function))


def compiled_and_kept(function: F) -> F:
    """Return the compiled function, its machine code kept on disk: beside the source, else in the user's cache.

    Numba finds the code again by the function's own file and closure: what else it depends on must be in the closure.
    """
    try:
        return cast(F, njit(error_model="numpy", cache=True, nogil=True)(function))
    except RuntimeError:  # nowhere to write: compile anew in each process
        return compiled(function)
