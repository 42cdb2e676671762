"""Clips that are drawn, with known factors."""
