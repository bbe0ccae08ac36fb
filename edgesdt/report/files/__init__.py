"""Reads run folders and sweep folders for reports; names the columns of tables."""
