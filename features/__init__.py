"""Pure steps: ticks to bars, bars to indicators, indicators to regimes. No I/O, no clock; the same code live and in training."""
