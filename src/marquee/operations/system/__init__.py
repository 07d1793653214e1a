"""Health, build, figures, and cleaning up."""
