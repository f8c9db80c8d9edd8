"""`python -m tests.simulation SEED`, from the project's folder."""

import sys
from importlib import import_module
from pathlib import Path

sys.path[0:0] = [str(Path(__file__).parents[number]) for number in (1, 2)]
sys.exit(import_module("simulation.command").run())
