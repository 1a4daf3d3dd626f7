"""Pure decisions: what differs, which keys are in force, what the status says."""
