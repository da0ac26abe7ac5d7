"""The order of the steps of a request, and what happens around them."""
