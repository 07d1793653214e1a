"""Trakt: a user's ratings, kept the same there and here."""
