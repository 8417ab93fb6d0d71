"""`python -m backstairs`."""

import sys

from backstairs.cli import main

sys.exit(main())
