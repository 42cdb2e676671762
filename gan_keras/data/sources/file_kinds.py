"""Files and folders that are no source videos: what they are, and what to do about them, in words for a report."""

import unicodedata
from pathlib import PurePath

_SYSTEM_NAMES = frozenset(name.casefold() for name in (
    "@eaDir", "@Recycle", "@Recently-Snapshot", "@tmp", "#recycle", "#snapshot", "__MACOSX", "lost+found", "Icon\r",
    "$RECYCLE.BIN", "RECYCLER", "System Volume Information", "Network Trash Folder", "Temporary Items", "Thumbs.db",
    "Thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "__pycache__"))

# Each kind: the suffixes, and what to do where it is not read. What is read never gets here.
_KINDS = (
    (".264 .265 .360 .3g2 .amv .apng .asf .av1 .avs .dav .divx .dv .f4v .flv .h264 .h265 .hevc .insv .ivf .lrv "
     ".m1v .m2t .m2ts .m2v .m3u8 .mjpeg .mjpg .mod .mpe .mpeg .mpg .mpv .mts .mxf .nut .obu .ogm .ogv .ogx .qt .rm "
     ".rmvb .swf .tod .trp .ts .vob .wmv .wtv .xvid .y4m .yuv",
     "this format is not read; ffmpeg -i FILE FILE.mp4 makes one that is"),
    (".ari .braw .cine .crm .mlv .nev .r3d",
     "a camera's raw recording: export it as .mp4 with the program of the camera's maker"),
    (".avif .dds .dpx .exr .hdr .heic .heics .heif .hif .ico .jfif .jp2 .jpe .jxl .mpo .pam .pbm .pcx .pfm .pgm "
     ".pnm .ppm .qoi .sgi .tga .xbm .xpm",
     "this format is not read; ffmpeg -i FILE FILE.png makes one that is"),
    (".ai .arw .blend .cr2 .cr3 .dng .eps .nef .orf .psd .raf .rw2 .svg .xcf",
     "export it as .png or .mp4"),
    (".7z .bz2 .gz .iso .rar .tgz .xz .zip .zst",
     "an archive: unpack it"),
    (".!ut .aria2 .crdownload .download .filepart .part .partial .tmp .ytdl",
     "an unfinished download or copy"),
    (".h5 .hdf5 .mat .parquet .pickle .pkl .pt .pth .tfrecord .tfrecords .zarr",
     "data of another kind; arrays are read from .npy and .npz"),
    (".aac .ass .bat .bib .bup .c .cfg .cpp .css .csv .dll .doc .docx .exe .flac .h .htm .html .idx .ifo .ini "
     ".ipynb .java .js .json .jsonl .lnk .log .m .m4a .md .md5 .mp3 .nfo .ods .odt .ogg .opus .pdf .ppt .pptx .py "
     ".r .rst .rtf .sfv .sh .sha256 .so .sqlite .srt .ssa .sub .tex .thm .toml .torrent .tsv .txt .url .vtt .wav "
     ".wma .xls .xlsx .xml .yaml .yml",
     ""),
)
_ADVICE = {suffix: advice for suffixes, advice in _KINDS for suffix in suffixes.split()}


def is_system_name(name: str) -> bool:
    """Whether an operating system or a storage device gives this name to what it puts beside a user's files."""
    return name.casefold() in _SYSTEM_NAMES


def describe_unread(name: str) -> tuple[str, str]:
    """Reason and detail why a file of a suffix that is not read is left out.

    Args:
        name: of the file.

    Returns:
        `"unsupported"` where something can be done about it, `"not a video"` else; and what, or empty.
    """
    suffix = suffix_of(name)
    if not suffix:
        return "not a video", "its name has no suffix, such as .mp4, that says what it is"
    advice = _ADVICE.get(suffix)
    if advice is None:
        return "not a video", f"{suffix} is no known kind of video"
    return ("unsupported", f"{suffix}: {advice}") if advice else ("not a video", "")


def suffix_of(name: str) -> str:
    """Suffix in small letters, such as `.mp4`; empty for none."""
    return PurePath(name).suffix.lower()


def is_no_text(letter: str) -> bool:
    """Whether it is a control character, or stands for bytes that are no text."""
    return unicodedata.category(letter) in ("Cc", "Cs")


def printable(name: str) -> str:
    """A name in which what cannot be printed is escaped."""
    if name.isprintable():
        return name
    name = name.encode("utf-8", "backslashreplace").decode()
    return "".join(f"\\x{ord(letter):02x}" if is_no_text(letter) else letter for letter in name)
