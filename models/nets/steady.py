"""Torch such that the same numbers come out again: one thread, deterministic kernels, nothing left behind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def steady() -> Iterator[None]:
    """Run what is inside on one thread with deterministic kernels, and put torch back as it was."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS refuses to be deterministic
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(strict)
        torch.set_num_threads(threads)


def device() -> torch.device:
    """Return where to train: the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
