"""What TMDB says of titles: searched, shown, and saved in the catalogue."""
