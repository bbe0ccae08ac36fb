"""Suggests specs for a data set, and chooses formats on its training samples."""
