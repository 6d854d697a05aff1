"""Internationalized host names by IDNA 2008, by the package `idna`. RFC 5890, RFC 5891."""

INCLUDED = True


def encode(name: str) -> str:
    """Return the A-labels of a name.

    Raises `ModuleNotFoundError` where the package is not installed, `UnicodeError` for what is no name.
    """
    import idna  # noqa: PLC0415  # optional

    return idna.encode(name, strict=True, uts46=False, std3_rules=True).decode("ascii")
