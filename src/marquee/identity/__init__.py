"""Who is there and what they may do: accounts, roles, sessions, API keys.

Other domains may ask for `users.models.User` and for `users.service.account`, the account that a
path names.
"""
