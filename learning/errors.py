"""What the learning loop says when it cannot do what is asked."""


class TrackingError(Exception):
    """MLflow did not take or give what it was asked for: one line that says where and why."""
