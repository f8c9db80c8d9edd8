"""The engines, and the environment of those that are not among our own packages.

Each is made by uv under .foretick/bench-stream from a lock in bench/stream/locks, and anew where the lock has changed.
A lock is `uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate
--no-header NAME.in -o NAME.lock`.
"""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from bench.forecast_environment import made
from settings import ROOT

LOCKS = Path(__file__).with_name("locks")
FOLDER = ROOT / ".foretick" / "bench-stream"


class Engine(NamedTuple):
    """An engine: its program in `bench.stream.engines`, its package, and whether it has an environment of its own."""

    name: str
    program: str
    package: str
    apart: bool = False

    def python(self) -> Path:
        """Return the interpreter that runs it. Raises ValueError with one line if there is no uv."""
        if not self.apart:
            return Path(sys.executable)
        return made(LOCKS / f"{self.package}.lock", FOLDER / self.package)

    def version(self) -> str:
        """Return the version that is installed, or that the lock names."""
        if not self.apart:
            return version(self.package)
        lock = (LOCKS / f"{self.package}.lock").read_text()
        line = next(one for one in lock.splitlines() if one.startswith(f"{self.package}=="))
        return line.split("==")[1].split()[0]


ENGINES = (
    Engine("foretick", "foretick_worker", "faust-streaming"),
    Engine("confluent-kafka by hand", "confluent_loop", "confluent-kafka"),
    Engine("aiokafka by hand", "aiokafka_loop", "aiokafka"),
    Engine("Bytewax", "bytewax_flow", "bytewax", apart=True),
    Engine("Quix Streams", "quix", "quixstreams", apart=True),
    Engine("plain Faust", "plain_faust", "faust-streaming"),
)
