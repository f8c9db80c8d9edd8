"""Runs of the pipeline in TimescaleDB: queue, lease, results and reports."""
