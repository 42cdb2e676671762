"""From sources of videos to batches of clips. This file imports nothing: settings take the names from it."""

AUGMENTATIONS = {
    "crop": "A random window of 87.5 to 100 % of the frame, resized to the frame.",
    "flip": "Horizontal flip of half of the clips.",
    "rotate": "A rotation by at most 10 degrees about the centre.",
    "brightness": "Brighter or darker by at most a tenth of the range."}
"""Functions of `data.augment`."""
