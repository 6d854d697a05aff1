"""The connecting procedure as a generator of I/O steps: addresses and attempts, tunnels, SOCKS."""
