"""What scripts are forked from, see `tests.processes`: it has imported TensorFlow as they would."""

import os

os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is imported

from gan_keras.logging import import_tensorflow

import_tensorflow()
