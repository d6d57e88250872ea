"""Locust's FastHttpUser at a constant rate: what a user of Locust would do for the same load."""

import os

from locust import FastHttpUser, constant_throughput, task


class Fast(FastHttpUser):
    """So many requests a second."""

    wait_time = constant_throughput(float(os.environ["FAST_USER_RATE"]))

    @task
    def dashboard(self):
        """Ask once."""
        self.client.get("/api/Spaces-2/dashboard", headers={"X-Octopus-ApiKey": "API-TEST"}, name="dashboard")
