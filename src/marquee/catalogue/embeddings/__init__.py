"""What titles are about, as vectors."""
