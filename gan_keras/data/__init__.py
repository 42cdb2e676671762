"""From sources of videos to batches of clips. This file imports nothing: settings take the names from it."""

AUGMENTATIONS = {
    "crop": "A random window of 87.5 to 100 % of the frame, resized to the frame.",
    "flip": "Horizontal flip of half of the clips.",
    "rotate": "A rotation by at most 10 degrees about the centre.",
    "brightness": "Brighter or darker by at most a tenth of the range."}
"""Functions of `data.augment`."""

DEGRADATIONS = {
    "blur": "Gaussian blur, standard deviation 0.2 to 3 pixels.",
    "down2": "Half the size, as cameras and downscalers make it (bicubic).",
    "down4": "A quarter of the size.",
    "noise": "Gaussian noise, standard deviation 1 to 30 of 255 levels.",
    "compress": "Compression by blocks (as in JPEG and key frames of video), quality 30 to 95."}
"""Functions of `data.degradations`, in the order in which they are applied."""

HOLES = {
    "box": "A rectangle that moves or stands.",
    "blob": "A round form that moves and breathes.",
    "scratch": "Thin upright lines that tremble, as on film.",
    "frames": "Up to three whole frames.",
    "text": "Lines of letters that stand."}
"""Functions of `data.holes`."""
