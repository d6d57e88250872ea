"""The HTTP contract of the stand-in: routes, envelopes and resources as Octopus' clients expect them."""
