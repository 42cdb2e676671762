"""A list of clips as a data set comes with it: a CSV file beside the videos, a clip in each row.

| column | |
|---|---|
| `path` | of the video, from the list's folder |
| `label` | class; empty: none |
| `start`, `end` | seconds of the video between which the clip lies; empty: from its beginning, to its end |
| `split` | `train`, `test` and the like; empty: by chance, as everywhere |

The lists of Kinetics are taken as they are (`label`, `youtube_id`, `time_start`, `time_end`, `split`): the videos are
named by their id, or by `ID_START_END` where they were cut when they were fetched. Other columns are ignored.
"""

import csv
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

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
    begin: float
    end: float
    split: str
    by_id: bool


def clips_of_list(path: Path, listed: Sequence[SourceVideo]
                  ) -> tuple[tuple[SourceVideo, ...], tuple[SkippedVideo, ...]]:
    """The clips that a list names, sorted by id, and rows whose video is not there.

    Args:
        path: of the list.
        listed: the videos of its folder.

    Raises:
        UserError: it cannot be read, or a row cannot be.
    """
    by_id = {video.id: video for video in listed}
    by_stem: dict[str, SourceVideo] = {PurePosixPath(video.id).stem: video for video in listed}
    cut = {stem[:-_CUT_LENGTH]: video for stem, video in by_stem.items() if _is_cut(stem)}
    clips, missing = {}, []
    for row in _rows(path):
        video, begin, end = by_id.get(row.path), row.begin, row.end
        if row.by_id:
            video = by_stem.get(f"{row.path}_{int(row.begin):06d}_{int(row.end):06d}") or cut.get(row.path)
            begin, end = (0.0, 0.0) if video else (begin, end)
            video = video or by_stem.get(row.path)
        if video is None:
            missing.append(SkippedVideo(row.path, "missing", f"named by {path.name}"))
            continue
        part = f"@{begin:g}-{end:g}" if begin or end else ""
        clip = dataclasses.replace(video, id=video.id + part, label=row.label, split=row.split, begin=begin, end=end)
        clips[clip.id] = clip
    return tuple(clips[name] for name in sorted(clips)), tuple(sorted(missing, key=lambda entry: entry.video_id))


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
                raise UserError(f"{path} must begin with a row that names its columns, one of them `path`; others may "
                                f"be label, start, end, split. Received: {','.join(columns)}")
            by_id = "youtube_id" in columns.values()
            for number, cells in enumerate(reader, 2):
                yield _row({names[name]: (cell or "").strip() for name, cell in cells.items() if name in names},
                           by_id, f"{path}, row {number}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as a list: {error}") from error


def _row(cells: Mapping[str, str], by_id: bool, where: str) -> _Row:
    try:
        begin, end = (float(cells.get(name) or 0.0) for name in ("start", "end"))
    except ValueError:
        begin, end = -1.0, 0.0
    if begin < 0.0 or (end and end <= begin):
        raise UserError(f"{where}: `start` and `end` must be seconds, the second one later. Received: "
                        f"start={cells.get('start', '')}, end={cells.get('end', '')}")
    path = cells["path"] if by_id else PurePosixPath(cells["path"]).as_posix()
    return _Row(path, cells.get("label") or None, begin, end, SPLITS.get(cells.get("split", "").casefold(), ""), by_id)
