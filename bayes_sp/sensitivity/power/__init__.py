"""Power-scaling of priors and likelihood."""
