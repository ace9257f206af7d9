"""Other priors, and the prior at which a conclusion changes."""
