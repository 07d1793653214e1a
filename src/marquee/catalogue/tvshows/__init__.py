"""Series with their seasons."""
