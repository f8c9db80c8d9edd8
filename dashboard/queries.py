"""The named blocks of queries.sql."""

from storage.blocks import load

QUERIES = load("dashboard")
