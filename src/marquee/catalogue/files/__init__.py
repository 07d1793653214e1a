"""The files in which titles are kept."""
