"""The page Operations: components, lag, latency, dead letters, data health, alerts and storage."""
