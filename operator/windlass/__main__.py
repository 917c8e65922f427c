"""`python -m windlass` is the `windlass` command."""

import sys

from windlass.cli.main import main

sys.exit(main())
