"""The stream's shell on an in-memory broker, under a seeded scheduler: a schedule is its seed. See docs/why.md."""
