"""The chip as the rest of edgesdt sees it: load, learn, infer, read, count."""
