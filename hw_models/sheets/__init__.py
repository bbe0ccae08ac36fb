"""Device sheets: reading, checking, building, and the catalogue of models."""
