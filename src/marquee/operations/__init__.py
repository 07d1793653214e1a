"""The running of the server itself."""
