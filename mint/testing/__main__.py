"""`python -m mint.testing`: the showcase origin, in clear on loopback, to try things on."""

import sys
import threading
from contextlib import suppress

from . import Origin, showcase

if __name__ == "__main__":
    with suppress(KeyboardInterrupt), Origin(showcase) as origin:
        sys.stdout.write(f"http://{origin.address}:{origin.port}/\n")
        sys.stdout.flush()
        threading.Event().wait()
