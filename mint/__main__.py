"""The command line: `python -m mint URL` fetches a URL and writes its content."""

import sys

from ._command import main

if __name__ == "__main__":
    sys.exit(main())
