"""`python -m mint URL`: fetch a page and show it."""

import sys

from ._command import main

if __name__ == "__main__":
    sys.exit(main())
