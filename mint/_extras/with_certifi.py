"""The certificates of the package `certifi`, for systems that have none of their own."""

INCLUDED = True


def bundle() -> str:
    """Return the path of a PEM file. Importing the package takes a while, and most systems have a store."""
    import certifi  # noqa: PLC0415  # optional

    return certifi.where()
