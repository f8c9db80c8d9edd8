"""Pure forecasting: models, online calibration, outcomes, training. No I/O except artifacts, no clock."""
