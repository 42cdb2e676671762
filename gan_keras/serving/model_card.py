"""`model_card.md`: facts about an exported version, for people."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from gan_keras.config.command_line import command_line, flag
from gan_keras.config.settings import format_value
from gan_keras.config.train import Config
from gan_keras.reports.html import markdown_code
from gan_keras.runs.run_folder import TrainingData
from gan_keras.serving.model_description import ModelDescription, serve_command

FILE = "model_card.md"
SHEET, CLIPS = "samples.png", "samples.webm"
_SHOWN_GROUPS = ("clip", "model", "objective", "given", "optimization")

_CARD = """\
# Video generator, {step} training steps

{makes} The same request gives the
same clip, whatever else is asked for beside it.{precision}
{samples}
## Trained on
{data}.

{step} steps of {batch_size} clips, with gan_keras {gan_keras}; the weights are the exponential moving average of the
trained ones. The clips show what such data shows, with its gaps and its bias. How good they are, and whether any copies
a training clip, was not measured at export; `gan-keras evaluate --model=VERSION_FOLDER --data=THE_CLIPS` measures it.

## Use
From the command line, with gan_keras:
```
{command}
```
In Python (a SavedModel is code: load those that you trust):
```python
import tensorflow as tf
model = tf.saved_model.load("VERSION_FOLDER")
{python}
```
From a server, where FOLDER_OF_VERSIONS is the absolute path of the folder that holds this one:
```
{serve}
{curl}
```
Over gRPC, raise `grpc.max_receive_message_length` above the 4 MiB that a client takes by default.

## Signatures
`B` is the batch, any number.

| signature | inputs | outputs |
|---|---|---|
{signatures}
{endless}{classes}
`uint8` frames are RGB, `float32` frames about -1 to 1; latents are standard normal numbers.

## Settings
| setting | value |
|---|---|
{settings}
"""

_CLIPS = "Makes clips of {num_frames} frames, {width}x{height} pixels, {fps:g} frames per second."
_FILMS = ("Makes clips of given clips (`--task={task}`), of any length and size; trained on {num_frames} frames of "
          "{width}x{height} pixels.")

_SAMPLES = """
![A clip in each row, of the seeds 0 to {last_seed}]({sheet})

The same clips, moving: [{clips}]({clips})
"""

_BFLOAT16 = """
Computes in bfloat16, which is fast where the hardware has it and slow elsewhere."""

_ENDLESS = """
Sequences without end: the output of `initial_state` is the input of the first `next_segment`, and the output of each
beside its `video` that of the next one, for the {num_frames} frames that follow. The server itself remembers nothing.
From the command line: `--num_frames=1000`.
"""

_SEGMENTS = """
A film in pieces: the output of `initial_state`, which takes any of its frames, is what the first `next_segment` takes
beside the first frames; what each returns beside its `video` is what the next one takes beside the next frames, and
the last of it what `last_segment` takes. All `video` together are the film as if it had been made whole, a few frames
late; the server itself remembers nothing. Each shot is a film of its own.
"""


_CLASSES = """
A `label` is the number of a class, or -1 for the one that the seed draws: {numbered}.
From the command line: {one}{mixture}.
"""


def model_card(description: ModelDescription, config: Config, data: TrainingData, samples: int, precision: str) -> str:
    """The card as Markdown. It names the data but no folder of the machine.

    Args:
        description: of the version.
        config: of the run.
        data: what the run was trained on.
        samples: how many clips the sheet shows; 0 for no sheet.
        precision: Keras dtype policy of the networks.
    """
    facts = dataclasses.asdict(description) | {
        "samples": _SAMPLES.format(last_seed=samples - 1, sheet=SHEET, clips=CLIPS) if samples else "",
        "data": _data(data),
        "batch_size": config.optimization.batch_size, "signatures": _signatures(description.signatures),
        "endless": _sequences(description), "precision": "" if precision == "float32" else _BFLOAT16,
        "command": command_line("gan-keras", "generate", model="VERSION_FOLDER", **description.example_flags),
        "serve": serve_command("FOLDER_OF_VERSIONS"), "python": _python(description),
        "curl": _curl(description), "classes": _classes(description.classes), "settings": _settings(config)}
    makes = (_FILMS if description.takes_films else _CLIPS).format(**facts)
    return _CARD.format(**facts, makes=makes)


def _sequences(description: ModelDescription) -> str:
    if "next_segment" not in description.signatures:
        return ""
    return _SEGMENTS if description.takes_films else _ENDLESS.format(num_frames=description.num_frames)


def _python(description: ModelDescription) -> str:
    if description.needs_clips:
        shape = f"[1, {description.num_frames}, {description.height}, {description.width}, 3]"
        inputs = description.signatures["serving_default"]["inputs"]
        more = "".join(f", {name}={_zeros(inputs[name], description)}" for name in inputs if name != "video")
        return f"""clips = tf.zeros({shape}, tf.uint8)  # yours: RGB, 0 to 255
video = model.signatures["serving_default"](video=clips{more})["video"]"""
    label = ", label=tf.constant([0, -1], tf.int64)" if description.classes else ""
    return f'video = model.signatures["serving_default"](seed=tf.constant([0, 1], tf.int64){label})["video"]'


def _zeros(tensor: Mapping, description: ModelDescription) -> str:
    """Python for an input of one row that asks for nothing."""
    sides = [1, description.num_frames, description.height, description.width]
    shape = [side if side is not None else sides[axis] for axis, side in enumerate(tensor["shape"])]
    return f"tf.{'ones' if tensor['dtype'] == 'float32' else 'zeros'}({shape}, tf.{tensor['dtype']})"


def _curl(description: ModelDescription) -> str:
    predict = "curl localhost:8501/v1/models/video_gan:predict -d"
    if description.needs_clips:
        more = [name for name in description.signatures["serving_default"]["inputs"] if name != "video"]
        others = f" and {', '.join(more)}" if more else ""
        return (f"{predict} @request.json    # {{\"inputs\": {{\"video\": [B clips of frames of rows of pixels]}}}}"
                f"{others}")
    label = ', "label": [0]' if description.classes else ""
    return f"""{predict} '{{"signature_name": "jpeg", "inputs": {{"seed": [0]{label}}}}}'"""


def _data(data: TrainingData) -> str:
    classes = f", of the classes {', '.join(map(markdown_code, data.classes))}" if data.classes else ""
    return f"{markdown_code(data.source)}, {data.clips['train']} clips{classes}"


def _classes(names: Sequence[str]) -> str:
    if not names:
        return ""
    numbered = ", ".join(f"{number} {markdown_code(name)}" for number, name in enumerate(names))
    mixture = flag("label", (f"{names[0]}:0.5", f"{names[-1]}:0.5"))
    return _CLASSES.format(numbered=numbered, one=markdown_code(flag("label", names[0])),
                           mixture=f", or {markdown_code(mixture)} for a mixture" if len(names) > 1 else "")


def _signatures(signatures: Mapping[str, Mapping]) -> str:
    return "\n".join(f"| `{name}` | {_tensors(signature['inputs'])} | {_tensors(signature['outputs'])} |"
                     for name, signature in signatures.items())


def _tensors(tensors: Mapping[str, Mapping]) -> str:
    return ", ".join(f"`{name}` {tensor['dtype']} [{', '.join('B' if n is None else str(n) for n in tensor['shape'])}]"
                     for name, tensor in tensors.items())


def _settings(config: Config) -> str:
    lines = []
    for group in _SHOWN_GROUPS:
        for name, value in dataclasses.asdict(getattr(config, group)).items():
            shown = Path(value).name if name == "perceptual_network" else value  # no folder of the machine
            lines.append(f"| {name} | {markdown_code(format_value(shown), in_table=True)} |")
    return "\n".join(lines)
