"""The evaluation: models forecast the same rows walking forward, and their forecasts are scored."""
