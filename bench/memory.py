"""How much memory this process holds."""

from pathlib import Path


def forget_the_peak() -> None:
    """Let the peak count from here."""
    Path("/proc/self/clear_refs").write_text("5")


def status(name: str) -> int:
    """Return a line of the process's status in KiB: VmRSS is held now, VmHWM the most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
