"""Device families: one published kind of cell a module."""
