"""The named blocks of queries.sql."""

from storage.sql_blocks import load

QUERIES = load("dashboard.analytics")
EPOCH_2000_US = 946_684_800_000_000
"""The zero of PostgreSQL's binary times, in microseconds of ours."""
