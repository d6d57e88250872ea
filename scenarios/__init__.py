"""Load: one kind of user, client or task stream a file."""
