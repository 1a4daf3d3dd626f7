"""Pure decisions of the reconciler: admission, plan, keys in force, status."""
