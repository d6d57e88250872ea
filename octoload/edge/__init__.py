"""The Locust edge: client, arrivals, sampler and engine; the only place below the scenarios that knows gevent."""
