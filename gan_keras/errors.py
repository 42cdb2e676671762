"""The one exception that means "the user can mend this"."""


class UserError(ValueError):
    """A flag, path, config or data file that the user has to change.

    The message is one line that says what to change. Scripts print it without a traceback and exit with 2;
    every other exception is a failure of ours and exits with 1.
    """
