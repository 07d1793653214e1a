"""What users have watched, listed and counted; and taking it back."""
