"""Adapters out: TimescaleDB (SQL in .sql files), Redis, model artifacts."""
