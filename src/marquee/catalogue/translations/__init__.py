"""Titles in other languages."""
