"""Charts and words that every page shares."""
