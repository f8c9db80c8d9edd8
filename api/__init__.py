"""The HTTP API: stored tables and live streams, for programs."""
