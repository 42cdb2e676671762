"""Keras layers and blocks that networks are made of. Every layer has `get_config`, so a network can be cloned."""
