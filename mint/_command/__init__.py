"""The command line: a small client over the public API, and a tutorial one can run.

arguments.py reads what is asked, fetch.py and transfer.py ask the servers, outputs.py prints. Nothing here is
needed by the library.
"""

from .fetch import main

__all__ = ["main"]
