"""Development tooling: pinned tools, test rigs, the local cluster, the demo and the generators. Never shipped."""
