"""Events, cancellation, and how threads share work."""
