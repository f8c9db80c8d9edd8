"""The environment of the rival libraries of `bench.forecast`, apart from ours: they want pandas below 3.

Made by uv under .foretick/bench-forecast from bench/forecast.lock, and anew where the lock has changed. The lock is
`uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header
bench/forecast.in -o bench/forecast.lock`.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from settings import ROOT

LOCK = ROOT / "bench" / "forecast.lock"
FOLDER = ROOT / ".foretick" / "bench-forecast"


def make() -> Path:
    """Return the interpreter of the environment, as `made` does."""
    return made(LOCK, FOLDER)


def made(lock: Path, folder: Path) -> Path:
    """Return the interpreter of an environment with the packages of a lock, which is made where it is not there.

    Raises ValueError with one line if there is no uv, or if uv cannot install them.
    """
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    python, stamp = folder / "bin" / "python", folder / "lock.sha256"
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = _uv()
        print(f"installing the packages of {lock.name} into {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run(lock, [uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run(lock, [uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock)])
        stamp.write_text(wanted)
    return python


def _run(lock: Path, command: list[str]) -> None:
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{lock.name} cannot be installed: {' '.join(done.stderr.split())}")


def _uv() -> str:
    """Return uv: the one on the path, else the one that the foretick command installed."""
    text = shutil.which("uv") or shutil.which(ROOT / ".foretick" / "uv" / "bin" / "uv")
    if not text:
        raise ValueError("no uv found: install it (pip install uv), or run ./foretick once, which does")
    return text
