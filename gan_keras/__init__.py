"""gan_keras turns a folder of videos into a generator of new ones."""

import os

# OpenCV reads these when it is loaded, and Keras loads it too.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))

__version__ = "0.1.0"
