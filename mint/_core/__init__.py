"""The compiled protocol core: private, no I/O, no clock, no randomness; knows nothing above it."""
