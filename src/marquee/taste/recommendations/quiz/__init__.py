"""Recommendations by the answers of a quiz, of one person or of several together."""
