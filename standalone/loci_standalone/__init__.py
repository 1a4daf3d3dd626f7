"""`loci serve`: admin API, policy, embedder and every tenant's data plane in one process on one port."""
