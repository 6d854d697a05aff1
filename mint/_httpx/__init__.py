"""What the transports for httpx and httpx2 share, without either package."""
