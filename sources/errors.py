"""What is said of a file that cannot be replayed."""


class SourceError(ValueError):
    """A file, or a wish about it, that cannot be served: one line that says what, where and what to do."""


class UnknownFormatError(SourceError):
    """A file that is no table of a known layout. In a zip it is passed over."""


class KafkaAwayError(SourceError):
    """Kafka does not answer, and has not for as long as was to be waited."""
