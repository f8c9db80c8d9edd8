"""What is said of a file that cannot be replayed."""


class SourceError(ValueError):
    """A file, or a wish about it, that cannot be served: one line that says what, where and what to do."""
