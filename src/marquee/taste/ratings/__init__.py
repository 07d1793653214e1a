"""Ratings: one score of 0 to 10 for each user and title, shown as stars or as 1 to 10."""
