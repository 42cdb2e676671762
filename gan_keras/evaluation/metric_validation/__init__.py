"""Validation of the metrics on real clips that are corrupted by known amounts."""
