"""`gan-keras prepare` from a checkout; `python prepare.py --help` says what it does."""

import sys

from gan_keras.commands.run import run_command

if __name__ == "__main__":
    run_command("prepare", sys.argv)
