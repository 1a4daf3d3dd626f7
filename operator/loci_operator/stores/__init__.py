"""A tenant's access to its stores outside the pod: credentials, provisioning, and removal."""
