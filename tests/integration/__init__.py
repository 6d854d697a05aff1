"""Tests against real servers. A package, so that its modules can share `servers.py`."""
