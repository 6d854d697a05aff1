"""Deterministic simulation: the real event loops on a simulated operating system.

A run is one row of the scenario table under one seed. `python -m tests.simulation --help` explores,
`python -m tests.simulation --row ROW --seed SEED` repeats one run. How it works is in README.md.
"""
