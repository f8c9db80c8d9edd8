"""Pure steps: ticks to bars, bars to indicators and regimes. No I/O, no clock, the same in training and live."""
