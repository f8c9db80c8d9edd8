"""How busy the machine's NVIDIA GPUs are, by `nvidia-smi`, which is there where their driver is."""

import shutil
import subprocess
from collections.abc import Sequence

QUERY = ("--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits")
TIMEOUT_S = 3.0
MIB, MB = 2**20, 1e6


def program() -> tuple[str, ...]:
    """Return the command line that asks; empty on a machine without it."""
    found = shutil.which("nvidia-smi")
    return (found, *QUERY) if found else ()


def measure(command: Sequence[str]) -> dict[str, float]:
    """Return the mean utilisation [%] of all GPUs and the memory in use on them [MB]; nothing if it is not known."""
    if not command:
        return {}
    try:
        told = subprocess.run(  # noqa: S603 - the program of the driver, with constant arguments
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        ).stdout
        rows = [tuple(map(float, line.split(","))) for line in told.splitlines() if line.strip()]
        busy, memory = zip(*rows, strict=True)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return {
        "system/machine GPU percent": sum(busy) / len(busy),
        "system/machine GPU memory MB": sum(memory) * MIB / MB,
    }
