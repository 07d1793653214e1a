"""Films of the catalogue."""
