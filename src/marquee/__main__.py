"""`python -m marquee` is `marquee`."""

import sys

from marquee.cli import main

sys.exit(main())
