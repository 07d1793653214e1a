"""Tests of operations: the running of it all."""
