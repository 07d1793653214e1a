"""What users have seen and what they said of it, as the quiz asks and other operations read."""
