"""`gan-keras train` from a checkout; `python train.py --help` says what it does."""

import sys

from gan_keras.commands.run import run_command

if __name__ == "__main__":
    run_command("train", sys.argv)
