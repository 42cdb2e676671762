"""Generator architectures, one a file. This file imports nothing: settings take the names from here."""

GENERATORS = {
    "dcgan3d": "Transposed 3-D convolutions from one latent to a whole clip (VGAN, Vondrick et al., 2016).",
    "drift": "What stands, and what a smooth motion carries along.",
    "layered": "Layers of colour drawn from coordinates that a recurrent motion moves.",
    "mlp": "Fully connected layers from one latent to a whole clip (Goodfellow et al., 2014).",
    "mocogan": "Content and recurrent motion, drawn frame by frame (MoCoGAN, Tulyakov et al., 2018)."}
"""Functions of the modules of the same name."""
