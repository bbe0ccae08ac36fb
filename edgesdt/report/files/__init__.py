"""What a report reads and writes: run folders, sweep folders, tables."""
