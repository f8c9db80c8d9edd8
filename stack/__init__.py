"""Starts, watches and stops the real servers on one machine."""
