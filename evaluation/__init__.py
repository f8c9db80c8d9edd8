"""The yardstick: every model fitted and scored on the same rows, walking forward in time."""
