"""Deterministic simulation: the real event loops on a simulated operating system.

A run is one row of the scenario table with one seed. `python -m tests.simulation` explores many schedules,
and `python -m tests.simulation --row ROW --seed SEED` repeats one run. README.md describes how it works.
"""
