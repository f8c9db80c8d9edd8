"""The yardstick: models forecast the same rows walking forward, and their forecasts are judged."""
