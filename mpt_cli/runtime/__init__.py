"""Events, cancellation, and concurrency of a run."""
