"""Frames in and out of files. Frames are uint8 RGB `[H, W, 3]`, clips uint8 `[T, H, W, 3]`."""
