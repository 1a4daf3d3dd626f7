"""Pure builders of a tenant's Kubernetes manifests, one file per kind."""
