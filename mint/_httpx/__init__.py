"""Code that the transports for httpx and httpx2 share. It imports neither package."""
