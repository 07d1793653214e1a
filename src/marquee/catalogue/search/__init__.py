"""Finding titles, people and collections by words and by meaning."""
