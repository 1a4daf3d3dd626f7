"""Which endpoints each version of the API has, and how errors of the stores become responses."""
