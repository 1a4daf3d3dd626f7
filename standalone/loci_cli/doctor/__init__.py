"""`loci doctor`: check an installation on Kubernetes end to end, and say how to fix each fault that is found."""
