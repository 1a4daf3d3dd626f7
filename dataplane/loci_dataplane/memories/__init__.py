"""What a memory is, and storing, reading and changing memories."""
