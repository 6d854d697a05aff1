"""Benchmarks that compare mint with other Python libraries and with C, on the same work.

`bench/run` measures time, and `bench/counts` counts instructions. Workloads (`traffic`, `work`) and
contenders are independent of each other; `rows` combines them and sets the goals for mint.
"""
