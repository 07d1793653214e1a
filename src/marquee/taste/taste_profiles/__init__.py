"""What a user's taste is, in words."""
