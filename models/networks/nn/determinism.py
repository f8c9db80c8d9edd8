"""Torch such that the same numbers come out again, and nothing of it left behind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Run what is inside on one thread: what the networks use of torch on a CPU is then deterministic."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def deterministic() -> Iterator[None]:
    """Run what is inside on one thread and, where there is a GPU, with its deterministic kernels.

    On a CPU alone torch is not told: telling it imports its compiler, which takes seconds.
    """
    with one_thread():
        if not torch.cuda.is_available():
            yield
            return
        strict = torch.are_deterministic_algorithms_enabled()
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS refuses to be deterministic
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)


def device() -> torch.device:
    """Return where to train: the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
