"""Sources: what `--data` and `--source` may name.

A source is a list of source videos, each of which opens to a frame rate and an iterator of frames. Listing decodes
next to nothing; a video is opened in the worker process that needs the frames.

- a folder of videos, at any depth. Where it has folders, those at its first level name the classes; where these are
  `train`, `val` and the like, they are the split, and those at the second level the classes.
- in such a folder: numbered pictures are one video, a frame each (see `series`), whatever else lies beside them; a
  picture several times as long as it is wide (or the reverse) is a strip of square frames; `.npy` and `.npz` (array
  `videos`) hold uint8 `[N, T, H, W, 3 or 1]`.
- one such file.
- a list of clips, `.csv`, beside the videos that it names (see `list_file`).
- hidden files and folders are ignored; runs, prepared clips and exported models are not entered.
- where clips have one frame, every picture is a clip, whatever its name and sides.
- a `.tar` of videos, as WebDataset has them (see `tar_file`).
- a pattern of files elsewhere, `gs://bucket/*.mp4` (see `remote_files`).
- `tfds:NAME`: a data set of TensorFlow Datasets (see `tfds_source`).
- `shapes:...`, `skies:...`: drawn clips (see `drawn_source`).

A new kind of file is a suffix in `folder_listing` and a reader in `source_video`; a new kind of source is an entry in
`_SCHEMES`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from gan_keras.config.train import ClipSettings
from gan_keras.data.drawn.drawn_clips import DRAWN
from gan_keras.data.sources.drawn_source import list_drawn
from gan_keras.data.sources.file_kinds import describe_unread, suffix_of
from gan_keras.data.sources.folder_listing import Folder, FolderListing, LeftOut, ListedVideo
from gan_keras.data.sources.list_file import SPLITS, clips_of_list
from gan_keras.data.sources.remote_files import matching_files
from gan_keras.data.sources.source_video import REMOTE, TFDS, SkippedVideo, SourceVideo
from gan_keras.data.sources.tfds_source import list_tfds
from gan_keras.errors import UserError
from gan_keras.video.decode import VIDEO_SUFFIXES

_SCHEMES: dict[str, Callable[[str, ClipSettings], tuple[SourceVideo, ...]]] = {
    **{name: partial(list_drawn, name) for name in DRAWN}, TFDS: list_tfds}
_MAX_ALIKE = 10
"""Files that are left out for the same reason are named one by one up to this number."""


@dataclass(frozen=True)
class Source:
    """A source, listed.

    Attributes:
        name: as the user gave it.
        videos: sorted by id.
        skipped: files and folders that are no videos, sorted by id; where many are alike, one stands for all.
        outputs: runs, prepared clips and exported models below it, which are not entered. They come and go with runs,
            so they are no part of what the source is.
    """

    name: str
    videos: tuple[SourceVideo, ...]
    skipped: tuple[SkippedVideo, ...] = ()
    outputs: tuple[SkippedVideo, ...] = ()


def list_source(name: str, clip: ClipSettings) -> Source:
    """Lists the videos of a source.

    Args:
        name: see the top of this file.
        clip: settings of the clips: whether they are single pictures, and whether links are followed; what
            is drawn has their size.

    Raises:
        UserError: there is no such source, or it is what a run has made.
    """
    if not name:
        raise UserError("`source` must name a folder of videos, a list, .csv, an .npy, .npz or .tar file, tfds:NAME, "
                        "shapes:COUNT or skies:COUNT. Received: source=")
    scheme, colon, parameters = name.partition(":")
    if colon and scheme in _SCHEMES:
        return Source(name, _SCHEMES[scheme](parameters, clip))
    if "://" in name:
        return _list_remote(name)
    root = Path(name)
    try:
        is_folder, is_file = root.is_dir(), root.is_file()
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror or error}") from error
    if not is_folder and not is_file:
        raise UserError(f"There is no file or folder {name}. Name a folder of videos, a file, or shapes:COUNT.")
    if is_file and suffix_of(name) == ".csv":
        beside = FolderListing(root.parent, clip)
        beside.add_all()
        videos, missing = clips_of_list(root, [entry.video for entry in beside.videos],
                                        {entry.video_id: entry for entry in beside.left_out})
        return Source(name, videos, missing)
    listing = FolderListing(root if is_folder else root.parent, clip)
    if is_folder:
        listing.add_all()
    else:
        listing.add_file(root.name)
    return Source(name, _with_labels_and_splits(listing.videos), _summarize(listing.left_out),
                  tuple(sorted(listing.outputs, key=lambda entry: entry.video_id)))


def _list_remote(pattern: str) -> Source:
    """Video files that a pattern names; folders mean classes and splits as everywhere."""
    videos, skipped = [], []
    for file in matching_files(pattern):
        if suffix_of(file.name) in VIDEO_SUFFIXES:
            parts = PurePosixPath(file.name).parts[:-1]
            videos.append(ListedVideo(SourceVideo(file.name, REMOTE, None, file.path, 0, file.size, file.changed),
                                      Folder(Path(pattern), Path(pattern), parts)))
        else:
            skipped.append(LeftOut(file.name, *describe_unread(file.name)))
    return Source(pattern, _with_labels_and_splits(videos), _summarize(skipped))


def _with_labels_and_splits(listed: list[ListedVideo]) -> tuple[SourceVideo, ...]:
    """Source videos, sorted by id, with the class and split that their folders at the first levels name."""
    first_level = {entry.folder.parts[0] for entry in listed if entry.folder.parts}
    splits = {name: SPLITS.get(name.casefold(), "") for name in first_level}
    if "train" not in splits.values() or "" in splits.values():
        splits = {}
    level = 1 if splits else 0
    counts = Counter(entry.folder.parts[:level + 1] for entry in listed)
    videos = []
    for entry in listed:
        parts = entry.folder.parts
        # A folder of frames and nothing else is a video, not a class.
        is_video = entry.video.kind == "frames" and len(parts) == level + 1 and counts[parts] == 1
        label = parts[level] if len(parts) > level and not is_video else None
        split = splits.get(parts[0], "") if parts else ""
        videos.append(replace(entry.video, label=entry.video.label or label, split=split))
    return tuple(sorted(videos, key=lambda video: video.id))


def _summarize(left_out: list[LeftOut]) -> tuple[SkippedVideo, ...]:
    """What is left out, sorted by id; of more than `_MAX_ALIKE` alike, the first stands for all."""
    alike: dict[tuple[str, str, str], list[LeftOut]] = defaultdict(list)
    for entry in sorted(left_out, key=lambda entry: entry.video_id):
        alike[entry.reason, entry.detail, suffix_of(entry.video_id)].append(entry)
    skipped = []
    for group in alike.values():
        is_long = len(group) > _MAX_ALIKE
        for entry in group[:1] if is_long else group:
            detail = f"{entry.count} {entry.detail}" if entry.count > 1 else entry.detail
            skipped.append(SkippedVideo(entry.video_id, entry.reason, detail, len(group) if is_long else 1))
    return tuple(sorted(skipped, key=lambda entry: entry.video_id))
