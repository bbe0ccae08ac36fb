"""The pages of the documentation, and the modules that generate, run and draw them."""
