"""What `--data` and `--source` may name, listed and opened."""
