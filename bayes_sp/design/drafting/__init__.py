"""Parts of a drafted specification: priors, moderators."""
