"""History: the plan of resources and the writers that put it in."""
