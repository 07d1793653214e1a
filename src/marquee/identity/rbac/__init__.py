"""Roles, and what they allow."""
