"""How much one read asks for: more where the wire gives all that was asked for."""

from __future__ import annotations

from functools import cache

LARGE_READ = 524_288
"""The octets of a read that is likely to come full: what a read costs beyond its octets is shared by them."""


@cache
def taught(size: int) -> int:
    """Return the size, after teaching the system's malloc, once, that such blocks come and go.

    That takes making one and dropping it. Else each read that does not come full would be mapped, and given
    back to the system: its time would go into the faults of its pages.
    """
    bytes(size)
    return size


@cache
def grown(size: int) -> int:
    """Return what to ask for once `size` octets were not enough."""
    return size if size >= LARGE_READ else taught(min(2 * size, LARGE_READ))
