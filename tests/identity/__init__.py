"""Tests of identity: accounts and signing in."""
