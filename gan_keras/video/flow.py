"""Dense optical flow: where the pixels of a frame move to in the next one."""

from itertools import pairwise

import numpy as np

from gan_keras.video.opencv import cv2

SIDE = 64
"""Pixels of the shorter side at which flow is estimated; larger frames are shrunk to it."""

# Farneback, "Two-frame motion estimation based on polynomial expansion", 2003: scale and levels of the image pyramid,
# window, iterations, neighbourhood of the polynomial and its smoothing.
_PYRAMID_SCALE, _LEVELS, _WINDOW, _ITERATIONS, _NEIGHBOURS, _SIGMA = 0.5, 3, 11, 2, 5, 1.1


def dense_flow(clip: np.ndarray) -> np.ndarray:
    """Optical flow between successive frames. OpenCV releases the interpreter lock, so threads speed it up.

    Args:
        clip: uint8 [T, H, W, 3].

    Returns:
        float32 [T - 1, h, w, 2]: x to the right and y down, in units of the frame's shorter side per frame; the
        shorter of h and w is at most 64.
    """
    grey = [_grey(frame) for frame in clip]
    flows = [cv2.calcOpticalFlowFarneback(before, after, None, _PYRAMID_SCALE, _LEVELS, _WINDOW, _ITERATIONS,
                                          _NEIGHBOURS, _SIGMA, 0) for before, after in pairwise(grey)]
    return np.stack(flows) / np.float32(min(grey[0].shape))


def frame_flow(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Optical flow between two frames uint8 [H, W, 3] at their own size, float32 [H, W, 2] in pixels.

    With the settings of TecoGAN's metrics (Chu et al., 2020, arXiv:1811.09393).
    """
    return cv2.calcOpticalFlowFarneback(*(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after)), None,
                                        _PYRAMID_SCALE, _LEVELS, 15, 3, _NEIGHBOURS, 1.2, 0)


def warped(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """A frame [H, W, C] taken from where the flow [H, W, 2] points to: the frame after, brought back to this one."""
    rows, columns = np.mgrid[:flow.shape[0], :flow.shape[1]].astype(np.float32)
    return cv2.remap(frame, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)


def _grey(frame: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    scale = SIDE / min(grey.shape)
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
