"""Building blocks of reports: HTML pages in a single file, and tables for HTML, Markdown and the terminal."""

import base64
import html
import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from string import Template

import numpy as np

from gan_keras.video.encode import write_clip
from gan_keras.video.pictures import encode_png

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --faint: #666; --warning: #d9730d }
@media (prefers-color-scheme: dark) { :root { --faint: #aaa } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 68em; padding: 0 1em; color: #222;
       background: #fff }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #15171a } }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere } h2 { margin-top: 2em } h3 { margin: 1.5em 0 0 }
.scroll { overflow-x: auto; margin: 1em 0 }
table { border-collapse: collapse }
td, th { padding: .25em 1.5em .25em 0; text-align: left; vertical-align: top; overflow-wrap: break-word }
th { color: var(--faint); font-weight: 600; white-space: nowrap } tr { border-bottom: 1px solid var(--line) }
.right { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.alike table { table-layout: fixed; width: 100%; min-width: 64em; font-size: .9em }
.alike td, .alike th { padding-right: 1em } .alike th:first-child { width: 18% }
.alike th:nth-child(3) { width: 17% } .alike th:last-child { width: 25% }
img, video, svg { max-width: 100%; height: auto } img { image-rendering: pixelated }
figure { margin: 0 } figcaption, .faint { color: var(--faint); font-size: .9em } summary { cursor: pointer }
.row { display: flex; flex-wrap: wrap; gap: 1.5em; margin: 1em 0; align-items: flex-start }
.row > figure { flex: 0 1 auto; min-width: 0; max-width: 100% } .half > figure { max-width: calc(50% - .75em) }
@media (max-width: 40em) { .half > figure { max-width: 100% } }
.note { border-left: .3em solid var(--warning); background: var(--soft); margin: .5em 0; padding: .5em 1em }
</style>
<h1>$title</h1>
$body
</html>
""")


def page(title: str, parts: Sequence[str]) -> str:
    """HTML page of parts that are HTML already; needs no network and no other file. The title is escaped."""
    return _PAGE.substitute(title=html.escape(title), body="\n".join(parts))


def table(rows: Sequence[Sequence[object]], head: Sequence[str] = (), right: Collection[int] = ()) -> str:
    """HTML table; every cell is escaped.

    Args:
        rows: cells, each shown as its `str`.
        head: names of the columns.
        right: indices of the columns that are aligned right.
    """
    def line(cells: Sequence[object], tag: str) -> str:
        starts = (f'<{tag} class="right">' if column in right else f"<{tag}>" for column in range(len(cells)))
        return "<tr>" + "".join(f"{start}{html.escape(str(cell))}</{tag}>"
                                for start, cell in zip(starts, cells, strict=True)) + "</tr>"

    lines = ([line(head, "th")] if head else []) + [line(row, "td") for row in rows]
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def text_table(rows: Sequence[Sequence[object]], right: Collection[int] = ()) -> str:
    """Table for the terminal. Integers and the columns with an index in `right` are aligned right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(text.rjust(widths[column]) if isinstance(cell, int) or column in right
                               else text.ljust(widths[column])
                               for column, (cell, text) in enumerate(zip(row, texts, strict=True))).rstrip()
                     for row, texts in zip(rows, cells, strict=True))


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown table; in cells, what would end a cell or a row, or read as HTML, is escaped."""
    def line(cells: Sequence[object]) -> str:
        texts = (re.sub(r"\s+", " ", html.escape(str(cell), quote=False)).replace("|", "\\|") for cell in cells)
        return "| " + " | ".join(texts) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


def picture(image: np.ndarray, description: str) -> str:
    """HTML image of a picture, uint8 `[H, W, 3]`; the description is escaped."""
    text = html.escape(description)
    return (f'<img alt="{text}" title="{text}" width="{image.shape[1]}" height="{image.shape[0]}" '
            f'src="{_data_uri("image/png", encode_png(image))}">')


def video(clip: np.ndarray, fps: float, description: str) -> str:
    """HTML video that plays a clip over and over.

    Args:
        clip: uint8 `[T, H, W, 3]`.
        fps: frames per second, above 0.
        description: what it shows; escaped.

    Raises:
        OSError: the temporary file could not be written, or reads back differently.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.webm"
        write_clip(path, clip, fps)
        source = _data_uri("video/webm", path.read_bytes())
    text = html.escape(description)
    return f'<video muted autoplay loop playsinline title="{text}" aria-label="{text}" src="{source}"></video>'


def figure(content: str, caption: str) -> str:
    """HTML figure: content that is HTML already, with a caption below; the caption is escaped."""
    return f"<figure>{content}<figcaption>{html.escape(caption)}</figcaption></figure>"


def paragraph(text: str) -> str:
    """HTML paragraph of plain text, escaped."""
    return f"<p>{html.escape(text)}</p>"


def note(text: str) -> str:
    """HTML box for what a reader must know; escaped."""
    return f'<p class="note" role="note"><strong>Note:</strong> {html.escape(text)}</p>'


def megabytes(size: float) -> str:
    """Number of bytes as text, in megabytes."""
    return f"{size / 1e6:,.1f} MB"


def _data_uri(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
