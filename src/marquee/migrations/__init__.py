"""Alembic migrations, inside the package: `marquee migrate` runs them wherever it is installed."""
