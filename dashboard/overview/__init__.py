"""The page of all symbols: the newest price, regime and forecasts of each in a table."""
