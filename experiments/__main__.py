"""`python -m experiments` is `octoload`, for where no console script was installed."""

import sys

from experiments.cli import main

sys.exit(main())
