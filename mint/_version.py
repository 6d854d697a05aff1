"""The version, written once here and checked against the distribution's by a test."""

__version__ = "0.1.0"
USER_AGENT = f"mint/{__version__}"
