"""Pure steps: ticks to bars, bars to indicators and regimes. No I/O, no clock; the same code live and in training."""
