"""Tests of the engine's parts, each alone."""
