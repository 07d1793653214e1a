"""The pictures that users show of themselves."""
