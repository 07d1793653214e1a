"""Recommendations: to users by what they did, and by the answers of a quiz."""
