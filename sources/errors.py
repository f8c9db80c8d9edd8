"""What is said of a file that cannot be replayed."""


class SourceError(ValueError):
    """A file, or a wish about it, that cannot be served: one line that says what, where and what to do."""


class KafkaAwayError(SourceError):
    """Kafka does not answer, and has not for as long as was to be waited."""
