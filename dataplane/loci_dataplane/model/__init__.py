"""The ground of the data plane: what a memory is, and the filter language. No I/O, no HTTP."""
