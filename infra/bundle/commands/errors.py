"""The error that all commands share."""


class CommandError(Exception):
    """A command cannot be carried out; the message says why and what to do."""
