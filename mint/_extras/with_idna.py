"""Internationalized host names (IDNA 2008) with the package `idna`. RFC 5890, RFC 5891."""

INCLUDED = True


def encode(name: str) -> str:
    """Return the A-labels of a name.

    Raises `ModuleNotFoundError` if the package is not installed, `UnicodeError` if the name is invalid.
    """
    import idna  # noqa: PLC0415  # optional

    return idna.encode(name, strict=True, uts46=False, std3_rules=True).decode("ascii")
