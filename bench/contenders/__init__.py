"""Contenders: small functions that make a Task of a workload. One module per thing that is measured."""
