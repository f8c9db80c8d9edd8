"""The error for a request that cannot be carried out."""


class UserError(Exception):
    """A mistake or a missing condition that the user can fix: one line with what, where and what to do."""
