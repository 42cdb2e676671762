"""`model_card.md`: what a version says of itself, for people."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gan_keras.config import Config
from gan_keras.serving.description import Description

FILE = "model_card.md"
SHEET, CLIPS = "samples.png", "samples.webm"
_SHOWN_GROUPS = ("clips", "model", "objective", "optimization")

_CARD = """\
# Video generator, {step} training steps

Makes clips of {num_frames} frames, {width}x{height} pixels, {fps:g} frames per second. The same seed gives the
same clip, whatever other seeds are asked for beside it.

![A clip in each row, of the seeds 0 to {last_seed}]({sheet})

The same clips, moving: [{clips}]({clips})

## Trained on
{data}.

{step} steps of {batch_size} clips, with gan_keras {gan_keras}; the weights are the running average. The clips show what
such data shows, with its gaps and its bias. How good they are, and whether any copies a training clip, was not measured
at export; `python evaluate.py --model=VERSION_FOLDER --data=THE_CLIPS` measures it.

## Use
From the command line, with gan_keras:
```
python generate.py --model=VERSION_FOLDER --seeds=0-15 --out=clips.webm
```
In Python (a SavedModel is code: load those that you trust):
```python
import tensorflow as tf
model = tf.saved_model.load("VERSION_FOLDER")
video = model.signatures["serving_default"](seed=tf.constant([0, 1], tf.int64){label})["video"]
```
From a server, where FOLDER_OF_VERSIONS is the absolute path of the folder that holds this one:
```
docker run --rm -p 8501:8501 -v FOLDER_OF_VERSIONS:/models/video_gan -e MODEL_NAME=video_gan tensorflow/serving
curl localhost:8501/v1/models/video_gan:predict -d '{{"signature_name": "jpeg", "inputs": {{"seed": [0]{json_label}}}}}'
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

_ENDLESS = """
Sequences without end: what `start` answers is what the first `continue` takes; what a `continue` answers beside its
`video` is what the next one takes, for the {num_frames} frames that follow. The server remembers nothing in between.
From the command line: `--num_frames=1000`.
"""


_CLASSES = """
A `label` is the number of a class, or -1 for the one that the seed draws: {numbered}.
From the command line: `--label={first}`, or `--label={first}:0.5,{last}:0.5` for a mixture.
"""


def model_card(description: Description, config: Config, data: Mapping[str, Any], samples: int) -> str:
    """The card as Markdown. It names the data but no folder of the machine.

    Args:
        description: of the version.
        config: of the run.
        data: what the run was trained on, as `RunFolder.load_data` has it.
        samples: how many clips the sheet shows.
    """
    facts = dataclasses.asdict(description) | {
        "sheet": SHEET, "clips": CLIPS, "last_seed": samples - 1, "data": _data(data),
        "batch_size": config.optimization.batch_size, "signatures": _signatures(description.signatures),
        "endless": _ENDLESS.format(num_frames=description.num_frames) if "continue" in description.signatures else "",
        "label": ", label=tf.constant([0, -1], tf.int64)" if description.classes else "",
        "json_label": ', "label": [0]' if description.classes else "",
        "classes": _classes(description.classes), "settings": _settings(config)}
    return _CARD.format(**facts)


def _data(data: Mapping[str, Any]) -> str:
    classes = f", of the classes {', '.join(data['classes'])}" if data["classes"] else ""
    return f"`{data['source']}`, {data['clips']['train']} clips{classes}"


def _classes(names: Sequence[str]) -> str:
    numbered = ", ".join(f"{number} `{name}`" for number, name in enumerate(names))
    return _CLASSES.format(numbered=numbered, first=names[0], last=names[-1]) if names else ""


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
            shown = Path(value).name if name == "perceptual" else value  # no folder of the machine
            lines.append(f"| {name} | {', '.join(shown) if isinstance(shown, tuple) else shown} |")
    return "\n".join(lines)
