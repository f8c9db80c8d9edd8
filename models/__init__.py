"""Pure forecasting: one model a file, online calibration, outcomes, training. No I/O but artifacts, no clock."""
