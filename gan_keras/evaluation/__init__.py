"""Evaluation of generated clips against real ones."""
