"""A client of the HTTP interface for Python programs; it needs nothing else of Foretick."""
