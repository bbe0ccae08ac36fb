"""Reads files within size limits, and protects existing files from being overwritten."""
