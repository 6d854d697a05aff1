"""The compiled protocol core. It is private, uses no I/O, clock or randomness, and imports nothing above it."""
