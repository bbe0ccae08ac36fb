"""`python -m edgesdt`: the same as the console script."""

import sys

from edgesdt.cli.main import main

sys.exit(main())
