"""Alerts: rules on the stream's records, subscribers, and deliveries."""
