"""Starts, monitors and stops the real servers on one machine."""
