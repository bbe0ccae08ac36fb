"""Results of a fit: comparison, warnings, plots and files."""
