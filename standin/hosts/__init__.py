"""Hosts: groups of processes with a fixed CPU capacity, and the distance between them, on one machine."""
