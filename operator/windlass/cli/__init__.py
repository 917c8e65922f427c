"""The `windlass` command, also `kubectl windlass`."""
