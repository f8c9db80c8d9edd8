"""What a user is told when something that they asked for cannot be done."""


class UserError(Exception):
    """A mistake or a missing condition that the user can mend: one line that says what, where and what to do."""
