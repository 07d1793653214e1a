"""Films that belong together."""
