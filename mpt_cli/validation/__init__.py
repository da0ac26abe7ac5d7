"""What is wrong with a request or a file, found before any work; returns issues, never raises for them."""
