"""Files that mpt keeps or publishes: one step, one owner, nothing left behind."""
