"""Records that give back any printed table of means, SDs and correlations after rounding."""
