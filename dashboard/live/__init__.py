"""The page of the market: candles, forecasts as they come, and how good they were."""
