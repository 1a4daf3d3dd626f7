"""`loci serve`: the admin API, policy, embedder and all tenants' data planes in one process on one port."""
