"""The foretick command."""
