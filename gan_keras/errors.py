"""The exceptions that mean "the user can mend this", and the text of others."""


class UserError(ValueError):
    """A flag, path, config or data file that the user has to change.

    The message is one line that says what to change. Scripts print it without a traceback and exit with `exit_code`;
    every other exception is a failure of ours and exits with 1.
    """

    exit_code = 2


class WorkerLost(UserError):
    """Another process of the same training is gone: the same command goes on. Schedulers try again what exits so."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


def error_text(error: BaseException) -> str:
    """First line of a library's error that says something, without the graph around it."""
    around = ("Graph execution error", "Detected at", "<stack")
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith(around)), type(error).__name__)
