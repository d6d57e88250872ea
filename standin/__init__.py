"""The stand-in: a small, genuine deployment server with the REST contract of Octopus."""
