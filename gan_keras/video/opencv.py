"""OpenCV, which `gan_keras/__init__.py` configures. No other module imports `cv2`."""

import cv2

__all__ = ["cv2", "use_one_thread"]


def use_one_thread() -> None:
    """Confines OpenCV to the calling thread, for processes that work side by side."""
    cv2.setNumThreads(1)
