"""Numbers and pages: summaries, effects, checks and the report."""
