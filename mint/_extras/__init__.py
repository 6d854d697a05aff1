"""What mint takes from other packages, one module for each.

Each module has `INCLUDED`, which is false where a vendored copy was made without it, and imports its package
only when it is used. A new one needs an extra in pyproject.toml and a row in ci/check_layers.py.
"""
