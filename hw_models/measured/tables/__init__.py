"""Measured tables: columns, branches and traces."""
