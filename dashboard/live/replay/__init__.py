"""A window of the past, played through the panels of the live page: at each step only what was known then."""
