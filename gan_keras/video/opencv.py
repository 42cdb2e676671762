"""OpenCV, configured safely before it is imported. No other module imports `cv2`."""

import os

# Formats and protocols that FFmpeg may open. Without this a text file named `.mp4` can be a playlist that opens other
# files or the network. Only the environment can override it, never the content of a file.
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS",
                      "format_whitelist;mov,matroska,webm,avi,gif|protocol_whitelist;file")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))

import cv2

__all__ = ["cv2"]
