"""Channels: lists of films that are made by examples, genres and words."""
