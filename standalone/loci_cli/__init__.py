"""The one command, `loci`: every process by name, each package imported only when its process is asked for."""
