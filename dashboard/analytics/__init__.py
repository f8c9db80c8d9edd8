"""The page that judges the models: skill, calibration, errors, the challengers' tests, the decisions and a policy."""
