"""Tests. `conftest.py` says what they share."""
