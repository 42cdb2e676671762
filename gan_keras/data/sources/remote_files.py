"""Videos that lie elsewhere: patterns of files on any file system that Apache Beam reads (`gs://`, `s3://`, `hdfs://`).

Needs the extra `beam`, and Beam's own extra for the file system, as in `apache-beam[gcp]`.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from gan_keras.errors import UserError, error_text
from gan_keras.video.errors import DecodeError

_CHUNK = 2**20


class RemoteFile(NamedTuple):
    """A file that lies elsewhere.

    Attributes:
        path: as the file system has it.
        name: below the pattern's last folder without a wildcard.
        size: in bytes.
        changed: when, in microseconds; 0 where the file system does not say.
    """

    path: str
    name: str
    size: int
    changed: int


def matching_files(pattern: str) -> list[RemoteFile]:
    """The files that a pattern names, sorted by name.

    Raises:
        UserError: Beam is not installed, does not know the file system, or cannot read it.
    """
    systems = _file_systems(pattern)
    try:
        found = systems.match([pattern])[0].metadata_list
    except Exception as error:  # of any kind, by file system
        raise UserError(f"{pattern} cannot be read: {error_text(error)}") from error
    fixed = pattern[:min((pattern.index(letter) for letter in "*?[" if letter in pattern), default=len(pattern))]
    folder = fixed.rpartition("/")[0] + "/"
    return sorted(RemoteFile(entry.path, entry.path.removeprefix(folder), entry.size_in_bytes,
                             round(1e6 * (entry.last_updated_in_seconds or 0.0))) for entry in found)


def copy_remote(path: str, to: BinaryIO) -> None:
    """Copies a file from where it lies.

    Raises:
        DecodeError: it cannot be read; it is tried again at the next start.
    """
    for data in _chunks(path):
        to.write(data)


def _chunks(path: str) -> Iterator[bytes]:
    """The file piece by piece; what goes wrong with where these are written is not caught here."""
    try:
        with _file_systems(path).open(path, mime_type="application/octet-stream",
                                      compression_type="uncompressed") as file:
            data = file.read(_CHUNK)
            while data:
                yield data
                data = file.read(_CHUNK)
    except GeneratorExit:
        raise
    except Exception as error:  # of any kind, by file system
        raise DecodeError("not reachable", error_text(error)) from error


def _file_systems(path: str) -> Any:
    try:
        from apache_beam.io.filesystems import FileSystems
    except ImportError as error:
        raise UserError(f"{path} is read by Apache Beam: pip install 'gan_keras[beam]'.") from error
    return FileSystems
