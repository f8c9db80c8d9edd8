"""What the stack says when the machine cannot do what is asked."""


class MachineError(Exception):
    """A condition of the machine (not of the request): one line that says what is missing and what to do."""
