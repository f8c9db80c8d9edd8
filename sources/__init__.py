"""Adapters in: one file a format or venue. Each gives a pure parse and a reader in chunks."""
