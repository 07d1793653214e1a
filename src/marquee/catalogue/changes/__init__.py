"""What has changed in the catalogue, for those who follow it."""
