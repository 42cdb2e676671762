"""A list of clips as a data set comes with it: a CSV file beside the videos, a clip in each row.

| column | |
|---|---|
| `path` | of the video, from the list's folder |
| `label` | class; empty: none |
| `start`, `end` | seconds of the video between which the clip lies; empty: from its beginning, to its end |
| `split` | `train`, `test` and the like; empty: by chance, as everywhere |

The lists of Kinetics are taken as they are (`label`, `youtube_id`, `time_start`, `time_end`, `split`): the videos are
named by their id, or by `ID_START_END` where they were cut when they were fetched. Other columns are ignored. Each part
of a film is decoded from the film's beginning.
"""

import csv
import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gan_keras.data.sources.folder_listing import LeftOut
from gan_keras.data.sources.source_video import SkippedVideo, SourceVideo
from gan_keras.errors import UserError

SPLITS = {**dict.fromkeys(("train", "training"), "train"),
          **dict.fromkeys(("val", "valid", "validate", "validation", "dev", "test", "testing", "eval", "evaluation"),
                          "test")}
"""The split that a folder or a row of a list means."""

_KINETICS = {"youtube_id": "path", "time_start": "start", "time_end": "end"}


class _Row(NamedTuple):
    """A row, checked."""

    path: str
    label: str | None
    start: float
    end: float
    split: str
    by_id: bool


def clips_of_list(path: Path, listed: Sequence[SourceVideo], left_out: Mapping[str, LeftOut]
                  ) -> tuple[tuple[SourceVideo, ...], tuple[SkippedVideo, ...]]:
    """The clips that a list names, sorted by id, and rows of which there is none.

    Args:
        path: of the list.
        listed: the videos of its folder.
        left_out: other files there, by id.

    Raises:
        UserError: it cannot be read, or a row cannot be.
    """
    videos = _Videos(listed)
    clips: dict[str, SourceVideo] = {}
    skipped = []
    for row in _rows(path):
        video, start, end = videos.of_id(row) if row.by_id else (videos.by_path.get(row.path), row.start, row.end)
        if video is None:
            other = left_out.get(row.path)
            skipped.append(SkippedVideo(row.path, other.reason, other.detail) if other else
                           SkippedVideo(row.path, "missing", f"named by {path.name}"))
            continue
        part = f"@{_seconds(start)}-{_seconds(end)}" if start or end else ""
        clip = dataclasses.replace(video, id=video.id + part, label=row.label, split=row.split, start=start, end=end,
                                   group=video.id if part else "")
        if clips.setdefault(clip.id, clip) != clip:
            skipped.append(SkippedVideo(clip.id, "duplicate", f"{path.name} names it again, of another class or split"))
    return (tuple(clips[name] for name in sorted(clips)),
            tuple(sorted(set(skipped), key=lambda entry: (entry.video_id, entry.reason))))


class _Videos:
    """Videos of a folder, by path and by the ids that lists of Kinetics have."""

    def __init__(self, listed: Sequence[SourceVideo]) -> None:
        self.by_path = {video.id: video for video in listed}
        self._by_stem = {PurePosixPath(video.id).stem: video for video in listed}
        self._cuts: dict[str, list[SourceVideo]] = defaultdict(list)
        for stem, video in self._by_stem.items():
            if _is_cut(stem):
                self._cuts[stem[:-_CUT_LENGTH]].append(video)

    def of_id(self, row: _Row) -> tuple[SourceVideo | None, float, float]:
        """The video of a row, and the part of it: cut at these times; whole; or the only one that was cut, where the
        row has no times."""
        cut = self._by_stem.get(f"{row.path}_{int(row.start):06d}_{int(row.end):06d}")
        if cut is None and not row.start and not row.end and len(self._cuts[row.path]) == 1:
            cut, = self._cuts[row.path]
        return (cut, 0.0, 0.0) if cut else (self._by_stem.get(row.path), row.start, row.end)


def _seconds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


_CUT_LENGTH = len("_000000_000000")


def _is_cut(stem: str) -> bool:
    """Whether a name ends in `_START_END`, each of six digits."""
    parts = stem[-_CUT_LENGTH:].split("_")
    return len(parts) == 3 and not parts[0] and all(len(part) == 6 and part.isdecimal() for part in parts[1:])


def _rows(path: Path) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            columns = {name: name.strip().lower() for name in reader.fieldnames or ()}
            names = {name: _KINETICS.get(column, column) for name, column in columns.items()}
            if "path" not in names.values():
                raise UserError(f"{path} must start with a row that names its columns, one of them `path`; others may "
                                f"be label, start, end, split. Received: {','.join(columns)}")
            by_id = "youtube_id" in columns.values()
            for number, cells in enumerate(reader, 2):
                yield _row({names[name]: (cell or "").strip() for name, cell in cells.items() if name in names},
                           by_id, path, f"{path}, row {number}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as a list: {error}") from error


def _row(cells: Mapping[str, str], by_id: bool, of_list: Path, where: str) -> _Row:
    try:
        start, end = (float(cells.get(name) or 0.0) for name in ("start", "end"))
    except ValueError:
        start, end = -1.0, 0.0
    if not (0.0 <= start < math.inf and 0.0 <= end < math.inf and (not end or end > start)):
        raise UserError(f"{where}: `start` and `end` must be seconds, the second one later. Received: "
                        f"start={cells.get('start', '')}, end={cells.get('end', '')}")
    split = cells.get("split", "").casefold()
    if split and split not in SPLITS:
        raise UserError(f"{where}: `split` must be empty or one of {', '.join(SPLITS)}. Received: split={split}")
    path = cells["path"] if by_id else _below(cells["path"].replace("\\", "/"), of_list.parent)
    return _Row(path, cells.get("label") or None, start, end, SPLITS.get(split, ""), by_id)


def _below(path: str, folder: Path) -> str:
    """A path as it is below the list's folder, where it names all folders from the top; else as it is."""
    if Path(path).is_absolute() and Path(path).is_relative_to(folder.absolute()):
        path = Path(path).relative_to(folder.absolute()).as_posix()
    return PurePosixPath(path).as_posix()
