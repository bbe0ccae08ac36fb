"""Processes that run the points of a sweep, here or on a cluster."""
