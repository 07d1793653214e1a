"""People, and what they are credited for."""
