"""The bit-width study: choices on held-out images, sweeps of formats and widths, and the page made from them."""
