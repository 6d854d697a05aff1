"""Connection values: the base of both protocols, HTTP/1, HTTP/2, negotiation, tunnels."""
