"""Named jobs: their schedules, their runs, and how far these are."""
