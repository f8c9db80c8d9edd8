"""How much memory a process holds."""

from pathlib import Path


def forget_the_peak() -> None:
    """Let the peak count from here."""
    Path("/proc/self/clear_refs").write_text("5")


def status(name: str, pid: int | str = "self") -> int:
    """Return a line of a process's status in KiB: VmRSS is held now, VmHWM the most. Raises OSError if it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
