"""Locust's FastHttpUser and HttpUser in a closed loop, and FastHttpUser at a constant rate."""

import os

from locust import FastHttpUser, HttpUser, User, constant_throughput, task

METHOD = os.environ.get("BENCH_METHOD", "GET")
KIND = os.environ["BENCH_USER"]
BODY = {"ProjectName": "Web", "ReleaseVersion": "1.0.0", "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1"}
HEADERS = {"X-Octopus-ApiKey": "API-BENCH"}
PATH = "/api/Spaces-1/dashboard"


class Loop(User):
    """One request after the other."""

    abstract = True

    @task
    def ask(self) -> None:
        """Ask once."""
        if METHOD == "POST":
            self.client.post(PATH, json=BODY, headers=HEADERS, name="create")
        else:
            self.client.get(PATH, headers=HEADERS, name="dashboard")


if KIND == "http":

    class Plain(Loop, HttpUser):
        """Locust's own user, on requests."""

        def on_start(self) -> None:
            """Trust the benchmark's certificate."""
            self.client.verify = os.environ["SSL_CERT_FILE"]
else:

    class Fast(Loop, FastHttpUser):
        """Locust's fast user, on geventhttpclient."""

        insecure = True
        if "BENCH_THROUGHPUT" in os.environ:
            wait_time = constant_throughput(float(os.environ["BENCH_THROUGHPUT"]))
