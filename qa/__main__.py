"""`python -m qa` is the command `footnote`."""

import sys

from qa.cli import main

if __name__ == "__main__":
    sys.exit(main())
