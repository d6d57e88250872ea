"""What `locust` runs."""
