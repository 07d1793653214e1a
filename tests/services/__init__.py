"""Tests of the adapters, against servers that are as bad as servers can be."""
