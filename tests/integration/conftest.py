"""The servers as fixtures; each is started when the first test asks for it."""

from .servers import apache, nginx, node, site

__all__ = ["apache", "nginx", "node", "site"]
