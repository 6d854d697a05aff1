"""Benchmarks: mint against its peers and against C, on the same work.

`bench/run` measures time, `bench/counts` instructions. Workloads (`traffic`, `work`) know no contender and
contenders no workload; `rows` says which meet, and what mint has to reach there.
"""
