"""The pages of the documentation, and the modules that make, run and draw them."""
