"""The error for a missing requirement of the machine."""


class MachineError(Exception):
    """A problem of the machine (not of the request): one line with what is missing and what to do."""
