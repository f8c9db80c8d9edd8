"""What is said of a Kafka that does not serve."""


class KafkaAwayError(Exception):
    """Kafka does not answer, and has not for as long as was to be waited: one line that says where."""
