"""Accounts, and the roles that give them permissions."""
