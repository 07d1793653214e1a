"""Signing in: passwords, tokens, and the contract's security schemes."""
