"""From a source to prepared clips: decoded, split, cleaned, written, accounted for."""
