"""What users have watched, and how far they are: one row for each user and film or episode.

Domains above may ask for `progress.models.Watch`.
"""
