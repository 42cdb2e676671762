"""Losses of all networks.

This file imports nothing: settings take the names of losses, beside whose functions they are listed, from here.
"""

ADVERSARIAL_LOSSES = {
    "bce": "Binary cross-entropy with the non-saturating generator loss (Goodfellow 2014).",
    "minimax": "Binary cross-entropy of both networks, the game as first written (Goodfellow 2014).",
    "least_squares": "Least squares, targets 1 for real and 0 for generated (LSGAN, Mao 2017).",
    "wasserstein": "Difference of the critic's outputs (Wasserstein GAN, Arjovsky 2017); needs --penalty=wgan_gp.",
    "hinge": "Hinge loss (Lim and Ye 2017).",
    "relativistic": "Relativistic pairing loss (R3GAN, Huang 2024)."}
"""Functions of `losses.adversarial`."""

GRADIENT_PENALTIES = {
    "r1": "Half the squared gradient norm at real samples (Mescheder 2018).",
    "r1r2": "Half the squared gradient norm at real and at generated samples (R3GAN 2024).",
    "approximate_r1": "r1 by differences of logits, without gradients of gradients (Seaweed-APT, Lin 2025).",
    "approximate_r1r2": "r1r2 by differences of logits.",
    "wgan_gp": "(Gradient norm - 1)² between a real and a generated sample (WGAN-GP, Gulrajani 2017).",
    "dragan": "(Gradient norm - 1)² at real samples with noise on them (DRAGAN, Kodali 2017)."}
"""Functions of `losses.gradient_penalties`."""

RECONSTRUCTION_LOSSES = {
    "l1": "Mean absolute difference of pixels.",
    "l2": "Mean squared difference of pixels.",
    "features": "Mean squared difference of discriminator features (VAE-GAN, Larsen 2016)."}
"""Functions of `losses.reconstruction`."""
