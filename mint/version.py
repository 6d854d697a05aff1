"""The version, written once here and checked against the distribution's by a test."""

VERSION = "0.1.0"
USER_AGENT = f"mint/{VERSION}"
