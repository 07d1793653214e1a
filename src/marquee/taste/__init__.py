"""What users like: ratings and favourites."""
