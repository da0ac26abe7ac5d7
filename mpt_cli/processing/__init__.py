"""Clips to the target form, in parallel and under a budget."""
