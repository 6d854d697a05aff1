"""The connecting procedure as a generator of I/O steps: plan and race, tunnels, SOCKS."""
