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
.figures { display: flex; flex-wrap: wrap; gap: .5em 2.5em; margin: 1em 0 .5em }
.figures > div { display: flex; flex-direction: column-reverse } .figures dd { margin: 0; font-size: 1.8em;
       line-height: 1.2; font-weight: 600 } .figures dt { color: var(--faint) }
.bar { display: flex; gap: 2px; height: .75em; margin: 0 } .bar > span { min-width: 3px; border-radius: 2px }
.legend { display: flex; flex-wrap: wrap; gap: 0 1.5em; list-style: none; margin: .5em 0 1.5em; padding: 0 }
.legend > ::before { content: ""; display: inline-block; width: .75em; height: .75em; border-radius: 2px;
       margin-right: .5em; background: var(--part) } .bar > span { background: var(--part) }
.bar > :nth-child(1), .legend > :nth-child(1) { --part: #2a9d6f }
.bar > :nth-child(2), .legend > :nth-child(2) { --part: #e0b23c }
.bar > :nth-child(3), .legend > :nth-child(3) { --part: #8886 }
details { margin: .75em 0 } details table { min-width: 100% } details td:first-child:nth-last-child(2) { width: 38% }
summary > strong { font-weight: 600 }
figure { margin: 0 } figcaption, .faint { color: var(--faint); font-size: .9em } summary { cursor: pointer }
.row { display: flex; flex-wrap: wrap; gap: 1.5em; margin: 1em 0; align-items: flex-start }
.row > figure { flex: 0 1 auto; min-width: 0; max-width: 100% } .half > figure { max-width: calc(50% - .75em) }
@media (max-width: 40em) { .half > figure { max-width: 100% } }
.split { width: max-content; max-width: 100% } .split canvas { display: block; max-width: 100%; height: auto }
.split input { display: block; width: 50%; margin: .25em 0 0 }
.split input:not([hidden]) + video { position: absolute; width: 2px; opacity: 0 }
.note { border-left: .3em solid var(--warning); background: var(--soft); margin: .5em 0; padding: .5em 1em }
</style>
<h1>$title</h1>
$body
</html>
""")


_SPLIT_GAP = 8
"""Pixels between a split view and the clip beside it."""
_SPLIT_SCRIPT = """<script>{
const view = document.currentScript.parentElement, [canvas, slider, video] = view.children;
const height = canvas.height, gap = GAP, width = (canvas.width - gap) / 2, context = canvas.getContext("2d");
canvas.hidden = slider.hidden = false;
const show = () => {
  const border = Number(slider.value);
  if (border > 0) context.drawImage(video, 0, 0, border, height, 0, 0, border, height);
  if (border < width) context.drawImage(video, width + border, 0, width - border, height,
                                        border, 0, width - border, height);
  context.fillRect(border - 1, 0, 2, height);
  context.drawImage(video, 2 * width, 0, width, height, width + gap, 0, width, height);
  requestAnimationFrame(show);
};
requestAnimationFrame(show);
}</script>""".replace("GAP", str(_SPLIT_GAP))


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
    return '<div class="scroll" tabindex="0"><table>\n' + "\n".join(lines) + "\n</table></div>"


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


def markdown_code(text: str, in_table: bool = False) -> str:
    """Markdown that shows a text as it is, but for line breaks; empty for an empty text.

    Args:
        text: any.
        in_table: whether it is in a cell of a table, which `|` would end.
    """
    text = re.sub(r"[\r\n]+", " ", text.replace("|", "\\|") if in_table else text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") or (text[:1] == text[-1:] == " ") else ""
    return text and f"{fence}{space}{text}{space}{fence}"


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


def split_view(before: np.ndarray, after: np.ndarray, beside: np.ndarray, fps: float, description: str) -> str:
    """HTML of two clips in one place, with a slider that moves the border between them, and a third clip beside.

    All three play as one video, so they are always in step; without scripts, that video is shown.

    Args:
        before: uint8 `[T, H, W, 3]`, on the left of the border.
        after: of the same shape, on the right of it.
        beside: of the same shape.
        fps: frames per second, above 0.
        description: what they show; escaped.
    """
    height, width = before.shape[1:3]
    playing = video(np.concatenate([before, after, beside], 2), fps, description)
    return (f'<div class="split"><canvas width="{2 * width + _SPLIT_GAP}" height="{height}" hidden></canvas>'
            f'<input type="range" min="0" max="{width}" value="{width // 2}" hidden '
            f'aria-label="Border between what was given and what was made">{playing}{_SPLIT_SCRIPT}</div>')


def figure(content: str, caption: str) -> str:
    """HTML figure: content that is HTML already, with a caption below; the caption is escaped."""
    return f"<figure>{content}<figcaption>{html.escape(caption)}</figcaption></figure>"


def figures(numbers: Sequence[tuple[str, str]], parts: Sequence[tuple[int, str]]) -> str:
    """HTML of a few numbers that a reader is to see first, above a bar and its legend.

    Args:
        numbers: each with what it counts; escaped.
        parts: up to three numbers whose shares of their sum the bar shows, each with what it counts; escaped.
    """
    items = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(number)}</dd></div>"
                    for number, name in numbers)
    bar = "".join(f'<span style="flex-grow: {part}"{"" if part else " hidden"}></span>' for part, _ in parts)
    legend = "".join(f"<li>{part:,} {html.escape(name)}</li>" for part, name in parts)
    return (f'<dl class="figures">{items}</dl>\n<div class="bar" aria-hidden="true">{bar}</div>\n'
            f'<ul class="legend">{legend}</ul>')


def details(title: str, content: str, is_open: bool = False, hint: str = "") -> str:
    """HTML that a reader can fold.

    Args:
        title: seen always; escaped.
        content: HTML already.
        is_open: whether it is unfolded at first.
        hint: seen always, below the title; escaped.
    """
    below = f'<br><span class="faint">{html.escape(hint)}</span>' if hint else ""
    return (f"<details{' open' if is_open else ''}><summary><strong>{html.escape(title)}</strong>{below}</summary>\n"
            f"{content}\n</details>")


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
