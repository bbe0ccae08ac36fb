"""One run: from a spec to a record in a run folder."""
