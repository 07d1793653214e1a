"""What a user may like: one engine, trained by a job, asked by every door."""
