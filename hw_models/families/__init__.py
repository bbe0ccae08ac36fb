"""Device families: one published kind of cell per module."""
