"""A path model as data: variables, equations, priors, families. No records, no statistics."""
