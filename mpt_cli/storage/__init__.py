"""Files that mpt keeps or publishes, each written in one step and with one owner."""
