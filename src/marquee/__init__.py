"""Marquee: one API for film and television, as its contract in openapi/ says."""

__version__ = "0.1.0"
