"""The error of files that cannot be decoded."""

from pathlib import Path


class DecodeError(Exception):
    """A file whose frames cannot be decoded.

    Attributes:
        reason: one of `"unreadable"`, `"truncated"`, `"too large"`, `"unsupported"`.
        detail: what is wrong with it.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def check_not_empty(path: Path) -> None:
    """Raises DecodeError for a file that is empty or not there."""
    try:
        size = Path(path).stat().st_size
    except OSError as error:
        raise DecodeError("unreadable", error.strerror or str(error)) from error
    if size == 0:
        raise DecodeError("unreadable", "empty file")
