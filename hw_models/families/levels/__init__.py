"""Families whose cells are written to a level."""
