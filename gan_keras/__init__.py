"""gan_keras turns a folder of videos into a generator of new ones."""

__version__ = "0.1.0"
