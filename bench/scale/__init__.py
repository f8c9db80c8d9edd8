"""Where it bends: workers, symbols and ticks a second on one machine, and what follows: `python -m bench.scale`."""
