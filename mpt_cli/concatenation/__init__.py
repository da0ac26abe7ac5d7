"""The join of processed clips into one proven file."""
