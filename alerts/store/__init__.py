"""Alerts in TimescaleDB: rules, subscribers and mutes in force, and deliveries."""
