"""The page of one run: view, summary, curves, memory map and weights."""
