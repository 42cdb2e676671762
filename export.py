"""`gan-keras export` from a checkout; `python export.py --help` says what it does."""

import sys

from gan_keras.commands.run import run_command

if __name__ == "__main__":
    run_command("export", sys.argv)
