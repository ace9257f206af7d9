"""How many patients a new study needs: assurance under a prior on its truth."""
