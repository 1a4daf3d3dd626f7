"""The `loci` command line; each process's package is imported only when that process is started."""
