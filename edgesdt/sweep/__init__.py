"""Sweeps: run every point of a spec's `sweep:` section once, on this machine or a cluster, and store the results.

`plan` lists the points, `store` records which are finished, `workers` runs them, `driver` connects these parts, and
`search` chooses points from earlier results. `rows` defines the format of stored results.
"""
