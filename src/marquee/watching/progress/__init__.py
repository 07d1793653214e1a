"""How far a user is in a film or an episode."""
