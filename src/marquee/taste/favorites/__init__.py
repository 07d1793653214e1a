"""The films that a user keeps."""
