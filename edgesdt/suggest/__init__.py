"""Specs suggested for a data set, and formats chosen on its training samples."""
