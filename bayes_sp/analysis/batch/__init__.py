"""Many fits: on this machine, on a cluster, kept by content."""
