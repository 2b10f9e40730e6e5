"""Errors whose message is all that a user needs: no traceback."""


class UserError(Exception):
    """Base of every error that a user can act on; the message says what is wrong and what to do."""


class CommandError(UserError):
    """A command cannot be carried out."""
