"""The memory that the trainer may take, and what is said where that is not enough."""

import resource

TOLD = ("bad_alloc", "bad allocation", "can't allocate memory", "cannot allocate memory", "not enough memory")
"""What the libraries say, each in an exception of its own."""


def limit(megabytes: int) -> None:
    """Bound the data of this process: beyond it, an allocation fails here, and nothing else on the machine does."""
    wanted = megabytes * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))


def explained(error: BaseException) -> str | None:
    """Return in a line that an error is for want of memory; None where it is not."""
    if not isinstance(error, MemoryError) and not any(words in str(error).lower() for words in TOLD):
        return None
    return f"needs {more()}"


def more() -> str:
    """Return what is not enough."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:
        return "more memory than the machine has"
    return f"more than FORETICK_TRAINER_MEMORY_MB, which is {soft // 2**20}"
