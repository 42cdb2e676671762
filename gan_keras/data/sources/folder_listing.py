"""Listing of a folder: the videos in it at any depth, what is no video, and what runs have put there."""

import hashlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from gan_keras.config.train import ClipSettings
from gan_keras.data.records import MANIFEST_FILE, WORK_FOLDER, is_prepared
from gan_keras.data.sources import tar_file
from gan_keras.data.sources.file_kinds import describe_unread, is_no_text, is_system_name, printable, suffix_of
from gan_keras.data.sources.series import Series, find_series, without_companions
from gan_keras.data.sources.source_video import (
    MIN_STRIP_FRAMES_NUMBERED,
    TAR,
    SkippedVideo,
    SourceVideo,
    strip_length,
)
from gan_keras.errors import UserError
from gan_keras.files import CHECKPOINTS_FOLDER, VERSIONS_FILE
from gan_keras.video import arrays
from gan_keras.video.animations import is_animation, is_apng
from gan_keras.video.decode import VIDEO_SUFFIXES
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import PICTURE_SUFFIXES, read_picture


@dataclass(frozen=True)
class Folder:
    """A folder of a source.

    Attributes:
        path: the folder, through links that lead to it.
        real_path: the same without links.
        parts: names of the folders from the source down to it.
    """

    path: Path
    real_path: Path
    parts: tuple[str, ...] = ()

    def id(self, name: str = "") -> str:
        """Path below the source, of the folder or of a file in it; what cannot be printed is escaped."""
        text = "/".join((*self.parts, name) if name else self.parts) or self.real_path.name
        return printable(text)


@dataclass(frozen=True)
class ListedVideo:
    """A source video, and the folder that it is in. Its label and split depend on all others, and are not set yet."""

    video: SourceVideo
    folder: Folder


@dataclass(frozen=True)
class LeftOut:
    """A file that is no video, or several of one pattern.

    Attributes:
        video_id: path or pattern below the source.
        reason: as in `SkippedVideo`.
        detail: as in `SkippedVideo`; the same for all files that are left out for the same reason.
        count: number of files.
    """

    video_id: str
    reason: str
    detail: str
    count: int = 1


class FolderListing:
    """What a folder holds.

    Attributes:
        videos: in no particular order.
        left_out: files and folders that are no videos; not the hidden ones.
        outputs: runs, prepared clips and exported models, which are not entered.

    Args:
        root: the folder.
        clip: settings of the clips: whether they are single pictures, and whether links are followed.
    """

    def __init__(self, root: Path, clip: ClipSettings) -> None:
        self.videos: list[ListedVideo] = []
        self.left_out: list[LeftOut] = []
        self.outputs: list[SkippedVideo] = []
        self._root = Folder(root, root.resolve())
        self._single_pictures = clip.num_frames == 1
        self._follow_links = clip.follow_links

    def add_file(self, name: str) -> None:
        """Lists one file of the folder."""
        path = self._root.path / name
        if os.access(path, os.R_OK):
            self._add_file(self._root, path)
        else:
            self._leave_out(self._root, name, *_NO_PERMISSION)

    def add_all(self) -> None:
        """Lists the folder and all below it: first what is there, then where links lead.

        Raises:
            UserError: the folder is what a run has made.
        """
        entered: set[Path] = set()
        folders, links = [self._root], []
        while folders or links:
            folder = folders.pop() if folders else links.pop(0)
            if folder.real_path in entered:
                self._leave_out(folder, "", "link", "leads to a folder that is listed already")
                continue
            entered.add(folder.real_path)
            inner, inner_links = self._list_folder(folder)
            folders += inner
            links = sorted(links + inner_links, key=lambda link: (len(link.parts), link.parts))

    # ---- folders ----

    def _list_folder(self, folder: Folder) -> tuple[list[Folder], list[Folder]]:
        """Lists a folder; returns the folders in it, and those that links in it lead to."""
        try:
            with os.scandir(folder.path) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            self._leave_out(folder, "", *_describe(error))
            return [], []
        output = _output_kind(folder.path, {entry.name for entry in entries})
        if output and not folder.parts:
            raise UserError(f"{folder.path} is no source of videos: it is {output}.")
        if output:
            self.outputs.append(SkippedVideo(folder.id(), "made by gan_keras", output))
            return [], []
        folders, links, files, refused = [], [], {}, []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                reason, detail = self._why_unusable(entry)
            except OSError as error:
                reason, detail = _describe(error)
            if reason:
                refused.append(entry.name)
                self._leave_out(folder, entry.name, reason, detail)
            elif entry.is_dir():
                path, parts = folder.path / entry.name, (*folder.parts, entry.name)
                if entry.is_symlink():
                    links.append(Folder(path, path.resolve(), parts))
                else:
                    folders.append(Folder(path, folder.real_path / entry.name, parts))
            else:
                files[entry.name] = entry
        self._list_files(folder, files, refused)
        return folders, links

    def _why_unusable(self, entry: os.DirEntry) -> tuple[str, str]:
        """Reason and detail why an entry of a folder is not opened; both empty if it is."""
        if is_system_name(entry.name):
            return "system file", "an operating system or a storage device put it there"
        if not entry.name.isprintable() and any(map(is_no_text, entry.name)):
            return "unsupported", "its name holds characters that are not text"
        if entry.is_symlink():
            detail = self._why_not_followed(entry)
            if detail:
                return "link", detail
        if not entry.is_dir() and not entry.is_file():
            return "unsupported", "neither a file nor a folder"
        return ("", "") if os.access(entry.path, os.R_OK | os.X_OK if entry.is_dir() else os.R_OK) else _NO_PERMISSION

    def _why_not_followed(self, link: os.DirEntry) -> str:
        """Why a link is not followed; empty if it is."""
        path, root = Path(link.path), self._root.real_path
        if not path.exists():
            return "leads nowhere"
        target = path.resolve()
        if link.is_dir() and root.is_relative_to(target):
            return "leads to a folder that the source is in"
        if self._follow_links or (link.is_file() and target.is_relative_to(root)):
            return ""
        if target.is_relative_to(root):
            return "leads to another folder of the source"
        return "leads out of the source folder; --follow_links follows it"

    # ---- files ----

    def _list_files(self, folder: Folder, files: dict[str, "_File"], refused: Iterable[str]) -> None:
        pictures = [name for name in files if suffix_of(name) in PICTURE_SUFFIXES]
        numbered, others = find_series(pictures)
        videos, companions = without_companions(numbered)
        for series, video in companions:
            self._leave_out(folder, series.pattern, "beside frames", "pictures with the same numbers as "
                            f"{video.pattern}; in a folder of their own they are a video", len(series.pictures))
        beside_frames = False
        for series in videos:
            kind = self._kind_of_pictures(folder, series)
            if kind == "frames":
                beside_frames = True
                self._add_series(folder, series, files, series.names_like_it(refused))
            else:
                for _, name in series.pictures:
                    self._add_file(folder, files[name], kind)
        for name in others:
            if beside_frames and not is_animation(folder.path / name):
                self._leave_out(folder, name, "beside frames", "a picture whose name does not go on with the numbers "
                                "of the frames beside it")
            else:
                self._add_file(folder, files[name])
        for name in files.keys() - pictures:
            self._add_file(folder, files[name])

    def _kind_of_pictures(self, folder: Folder, series: Series) -> str:
        """What numbered pictures are, by the first of them that can be decoded: the frames of one video, or strips,
        animations or single pictures, which are videos of their own."""
        if is_animation(folder.path / series.pictures[0][1]):
            return "animation"
        if self._single_pictures:
            return "picture"
        for _, name in series.pictures:
            try:
                length = strip_length(read_picture(folder.path / name))
            except DecodeError:
                continue
            return "numbered_strip" if length >= MIN_STRIP_FRAMES_NUMBERED else "frames"
        return "frames"

    def _kind_of_file(self, file: "_File") -> str:
        """`SourceVideo.kind` of a file by itself; empty for one that is not read."""
        suffix = suffix_of(file.name)
        if suffix in VIDEO_SUFFIXES or (suffix == ".png" and is_apng(Path(file))):
            return "video"
        if suffix in arrays.SUFFIXES:
            return "array"
        if suffix == tar_file.SUFFIX:
            return TAR
        if suffix not in PICTURE_SUFFIXES:
            return ""
        if is_animation(Path(file)):
            return "animation"
        return "picture" if self._single_pictures else "strip"

    def _add_file(self, folder: Folder, file: "_File", kind: str = "") -> None:
        kind, count, members = kind or self._kind_of_file(file), 1, []
        if not kind:
            self._leave_out(folder, file.name, *describe_unread(file.name))
            return
        try:
            stat = file.stat()
            if kind == "array":
                count = arrays.declared_shape(Path(file))[0]
            if kind == TAR:
                members = tar_file.video_members(Path(file))
        except (OSError, DecodeError) as error:
            reason, detail = (error.reason, error.detail) if isinstance(error, DecodeError) else _describe(error)
            self._leave_out(folder, file.name, reason, detail)
            return
        video_id, path = folder.id(file.name), os.fspath(file)
        for member in members:
            self.videos.append(ListedVideo(SourceVideo(
                f"{video_id}/{member.name}", kind, member.label, path, member.offset, member.size, stat.st_mtime_ns),
                folder))
        if kind == TAR:
            return
        for index in range(count):
            self.videos.append(ListedVideo(SourceVideo(
                f"{video_id}/{index:06d}" if kind == "array" else video_id, kind, None, path, index,
                stat.st_size // count, stat.st_mtime_ns), folder))

    def _add_series(self, folder: Folder, series: Series, files: dict[str, "_File"], refused: list[str]) -> None:
        size, content = 0, hashlib.sha256()
        for _, name in series.pictures:
            try:
                stat = files[name].stat()
            except OSError as error:
                self._leave_out(folder, name, *_describe(error))
                refused.append(name)
                continue
            size += stat.st_size
            content.update(f"{name}/{stat.st_size}/{stat.st_mtime_ns}\n".encode())
        self.videos.append(ListedVideo(SourceVideo(
            folder.id(series.pattern), "frames", None, os.fspath(folder.path / series.pattern), 0, size,
            int.from_bytes(content.digest()[:7], "big"), left_out=tuple(refused)), folder))

    def _leave_out(self, folder: Folder, name: str, reason: str, detail: str, count: int = 1) -> None:
        self.left_out.append(LeftOut(folder.id(name), reason, detail, count))


_File = os.DirEntry | Path
_NO_PERMISSION = ("no permission", "you may not read it")


def _describe(error: OSError) -> tuple[str, str]:
    return _NO_PERMISSION if isinstance(error, PermissionError) else ("unreadable", error.strerror or str(error))


def _output_kind(folder: Path, names: Collection[str]) -> str:
    """Kind of output of ours that a folder is, by the names in it; empty for any other folder."""
    if VERSIONS_FILE in names and CHECKPOINTS_FOLDER in names:
        return "a run of gan_keras"
    if "saved_model.pb" in names:
        return "an exported model"
    if WORK_FOLDER in names or (MANIFEST_FILE in names and is_prepared(folder)):
        return "prepared clips"
    return ""
