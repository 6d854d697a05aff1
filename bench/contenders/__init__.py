"""Contenders: small functions that make a Task from a workload. Each measured library has a module."""
