"""`python -m mint.testing`: the showcase origin, in clear on loopback, to try things on."""

import sys
import threading
from contextlib import suppress

from . import Origin, showcase


def main() -> None:
    """Print the URL and serve, until interrupted."""
    with suppress(KeyboardInterrupt), Origin(showcase) as origin:
        sys.stdout.write(f"http://{origin.address}:{origin.port}/\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
