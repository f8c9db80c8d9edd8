"""A backup of a home and its database in one file, and its restoration into an empty home."""
