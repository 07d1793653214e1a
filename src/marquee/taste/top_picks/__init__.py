"""What is watched most by all users of late."""
