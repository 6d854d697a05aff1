"""Connection values: what both protocols share, HTTP/1, HTTP/2, negotiation, tunnels."""
