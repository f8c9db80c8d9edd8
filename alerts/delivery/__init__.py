"""Delivery of alerts: channels, retries, rate limits, signatures."""
