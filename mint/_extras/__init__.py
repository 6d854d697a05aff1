"""What mint takes from other packages, one module for each.

Each module has `INCLUDED`, which is false where a vendored copy was made without it, and imports its package
only when it is used. A new one needs an extra in pyproject.toml and a row in ci/check_layers.py.
"""

from __future__ import annotations


def remedy(extra: str, *, is_included: bool) -> str:
    """Return what to do where the package of an extra is not there: the end of an error message."""
    if is_included:
        return f"install mint-http[{extra}]"
    return f"this copy of mint was made without that part (--without {extra})"
