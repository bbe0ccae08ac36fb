"""`python -m edgesdt`: the same as the console script."""

import sys

from edgesdt.cli import main

sys.exit(main())
