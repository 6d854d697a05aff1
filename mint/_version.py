"""The version. It is written only here; a test compares it with the version of the distribution."""

__version__ = "0.1.0"
USER_AGENT = f"mint/{__version__}"
