"""Contract against code."""
