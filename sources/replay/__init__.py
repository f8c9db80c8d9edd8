"""Replay of files onto the topics, at any speed, and from where it was interrupted."""
