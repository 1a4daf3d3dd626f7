"""The ingress policy: which key belongs to which tenant, whether a request may pass, and where it goes."""
