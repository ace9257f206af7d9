"""A codebook: what a file's columns mean, and what is computed from them before a model sees them."""
