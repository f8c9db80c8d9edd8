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
    """An engine: its program in `bench.stream.engines`, and its package.

    `apart`: it has an environment of its own. `frames`: it can be given several ticks in a record, and answers so.
    `computes`: it does the work; the ceiling does not.
    """

    name: str
    program: str
    package: str
    apart: bool = False
    frames: bool = False
    computes: bool = True

    def title(self) -> str:
        """Return its name as a part of the names of topics and files."""
        return self.name.lower().replace(" ", "-")

    def python(self) -> Path:
        """Return the interpreter that runs it. Raises ValueError with one line if its packages cannot be installed."""
        if not self.apart:
            return Path(sys.executable)
        return made(LOCKS / f"{self.package}.lock", FOLDER / self.package)

    def version(self) -> str:
        """Return its package with the version that is installed, or that the lock names."""
        if not self.apart:
            return f"{self.package} {version(self.package)}"
        lock = (LOCKS / f"{self.package}.lock").read_text()
        line = next(one for one in lock.splitlines() if one.startswith(f"{self.package}=="))
        return f"{self.package} {line.split('==')[1].split()[0]}"


CEILING = Engine(
    name="client and broker alone", program="ceiling", package="confluent-kafka", frames=True, computes=False
)
ENGINES = (
    CEILING,
    Engine("foretick", "foretick_worker", "faust-streaming", frames=True),
    Engine("confluent-kafka by hand", "confluent_loop", "confluent-kafka", frames=True),
    Engine("aiokafka by hand", "aiokafka_loop", "aiokafka", frames=True),
    Engine("Bytewax", "bytewax_flow", "bytewax", apart=True),
    Engine("csp", "csp_graph", "csp", apart=True),
    Engine("Pathway", "pathway_graph", "pathway", apart=True),
    Engine("Quix Streams", "quix", "quixstreams", apart=True),
    Engine("plain Faust", "plain_faust", "faust-streaming"),
)
