"""Pure forecasting: one forecaster a file, online calibration, outcomes and scores, training. No I/O but artifacts, no clock."""
