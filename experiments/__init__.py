"""Questions as YAML, the plan of pairs, the runner and the command line."""
