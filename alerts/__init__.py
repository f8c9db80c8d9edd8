"""Alerts: rules over what the stream says, who is told, and what became of each message."""
