"""The custom resources: MemoryTenant and MemoryTier, the shipped tiers, derived limits, and their CRDs."""
