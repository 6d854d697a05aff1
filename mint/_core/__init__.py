"""The compiled protocol core. It is private, has no I/O, clock or randomness and imports nothing above it."""
