"""The side-by-side comparison behind scripts/bench."""
