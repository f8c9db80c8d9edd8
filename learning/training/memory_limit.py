"""The trainer's memory limit, and the message if it is too low."""

import resource

TOLD = (
    *("bad_alloc", "bad allocation", "can't allocate memory", "cannot allocate memory", "not enough memory"),
    *("cannot map zero-fill pages", "failed to map segment"),  # of a library that is loaded
)
"""The libraries' and the loader's texts, each in an exception of its own."""


def limit(megabytes: int) -> None:
    """Limit the data of this process: beyond it, an allocation fails here, and other processes are unaffected."""
    wanted = megabytes * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))


def explained(error: BaseException) -> str | None:
    """Return the message of an error for lack of memory; None if it is another error."""
    if not isinstance(error, MemoryError) and not any(words in str(error).lower() for words in TOLD):
        return None
    return f"needs {more()}"


def more() -> str:
    """Return which memory is exhausted."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:
        return "more memory than the machine has"
    return f"more than FORETICK_TRAINER_MEMORY_MB, which is {soft // 2**20}"
