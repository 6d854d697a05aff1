"""The certificates of the package `certifi`, for systems that have no store of certificates."""

INCLUDED = True


def bundle() -> str:
    """Return the path of a PEM file. Call it only if needed, because importing the package is slow."""
    import certifi  # noqa: PLC0415  # optional

    return certifi.where()
