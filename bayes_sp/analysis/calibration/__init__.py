"""Are posteriors calibrated: records drawn from the priors, fitted, and the place of the truth among the draws."""
