"""The compiler: numba without fast-math, so that results do not depend on how the rows were cut into batches."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

F = TypeVar("F", bound=Callable[..., object])

# LLVM by default unrolls most loops. A live bar executes each once, and is slowed by the larger code.
for option in ("-force-vector-interleave=1", "-unroll-runtime=false"):
    binding.set_option("foretick", option)

SHORT = 256
"""The most numbers that `scratch` places on the stack: more than the longest window of a live bar has."""


def compiled(function: F) -> F:
    """Return the function compiled to machine code on its first call, or as a part of a compiled caller."""
    return cast(F, njit(error_model="numpy")(function))


def compiled_and_kept(function: F) -> F:
    """Return the compiled function, its machine code cached on disk: beside the source, else in the user's cache.

    Numba's cache key is the function's own file and closure: anything else that it depends on must be in the closure.
    """
    try:
        return cast(F, njit(error_model="numpy", cache=True, nogil=True)(function))
    except RuntimeError:  # no writable folder: compile in each process
        return compiled(function)


def _on_the_heap(length: int) -> npt.NDArray[np.float64]:
    return np.empty(length)


@intrinsic
def _scratch(_: Any, __: Any) -> Any:
    array_type = types.Array(types.float64, 1, "C")

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        (length,) = arguments
        with builder.goto_entry_block():
            memory = builder.alloca(ir.ArrayType(ir.DoubleType(), SHORT))
        array, size = context.make_array(array_type)(context, builder), context.get_constant(types.intp, 8)
        data = builder.bitcast(memory, array.data.type)
        shape, strides = (cgutils.pack_array(builder, [number]) for number in (length, size))  # type: ignore[no-untyped-call] # llvmlite and numba have no types
        populate_array(array, data, shape, strides, itemsize=size, meminfo=None)  # type: ignore[no-untyped-call] # llvmlite and numba have no types
        short = array._getvalue()
        with builder.if_else(builder.icmp_signed("<=", length, length.type(SHORT))) as (fits, does_not):
            with fits:
                on_the_stack = builder.basic_block
            with does_not:
                long = context.compile_internal(builder, _on_the_heap, array_type(types.intp), [length])
                on_the_heap = builder.basic_block
        result = builder.phi(short.type)
        result.add_incoming(short, on_the_stack)
        result.add_incoming(long, on_the_heap)
        return result

    return array_type(types.intp), generate


scratch = cast(Callable[[int], npt.NDArray[np.float64]], _scratch)
"""Return an array of `length` numbers to work in, as `np.empty` does, for compiled functions only.

Short arrays are on the stack, since allocating them on the heap takes longer than the computation of a live bar. So an
array is valid until the calling function returns: it may be passed on to other functions, but never returned.
"""
