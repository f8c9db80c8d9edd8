"""Storage adapters: TimescaleDB (SQL in .sql files) and Redis."""
