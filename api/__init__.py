"""The HTTP interface: what is stored, and what comes in, for programs."""
