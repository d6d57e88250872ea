"""Monte-Carlo runs that hold the statistics to their promises; `python -m benchmarks.calibration` writes the page."""
