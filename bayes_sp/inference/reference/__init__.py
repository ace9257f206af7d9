"""The PyMC model: to read, to extend, to sample."""
