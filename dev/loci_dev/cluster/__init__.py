"""A local Kubernetes of real parts: the control plane for tests, and with root a node that runs real pods."""
