"""Tests of Marquee."""
