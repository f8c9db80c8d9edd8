"""The named blocks of queries.sql."""

from storage.sql_blocks import load

QUERIES = load("dashboard.forecast")
