"""The error of files that cannot be decoded."""

import errno
from pathlib import Path

_NOT_REACHABLE = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENOTCONN}


class DecodeError(Exception):
    """A file whose frames cannot be decoded.

    Attributes:
        reason: one of `data.preparation.reasons`.
        detail: what is wrong with it.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def as_decode_error(error: Exception) -> DecodeError:
    """The error of a decoder or a file system as one that says whether it may pass (see `data.preparation.reasons`)."""
    if isinstance(error, PermissionError):
        return DecodeError("no permission", "you may not read it")
    if isinstance(error, MemoryError):
        return DecodeError("out of memory", "its frames need more memory than there is")
    if isinstance(error, OSError) and error.errno in _NOT_REACHABLE:
        return DecodeError("not reachable", error.strerror or str(error))
    if isinstance(error, OSError) and error.strerror:
        return DecodeError("unreadable", error.strerror)
    return DecodeError("unreadable", f"{type(error).__name__}: {error}")


def check_not_empty(path: Path) -> None:
    """Raises DecodeError for a file that is empty or not there."""
    try:
        size = Path(path).stat().st_size
    except OSError as error:
        raise as_decode_error(error) from error
    if size == 0:
        raise DecodeError("unreadable", "empty file")
