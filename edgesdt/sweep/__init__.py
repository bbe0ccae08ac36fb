"""Sweeps: every point of a spec's `sweep:` section run once, kept in a store, on this machine or on a cluster.

`plan` says which points there are, `store` which are finished, `local` and `cluster` run them, `driver` ties these
together, `search` chooses points by what is known of earlier ones. `rows` states the format of what is kept.
"""
