"""The uses of optional packages, with one module for each package.

Each module has `INCLUDED`, which is false in a vendored copy that was made without it. It imports its package
only when it is used. A new module needs an extra in pyproject.toml and a row in ci/check_layers.py.
"""

from __future__ import annotations


def remedy(extra: str, *, is_included: bool) -> str:
    """Return the end of an error message: what to do if the package of an extra is missing."""
    if is_included:
        return f"install mint-http[{extra}]"
    return f"this copy of mint was made without that part (--without {extra})"
