"""What titles are sorted into."""
