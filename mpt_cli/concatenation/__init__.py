"""Join of processed clips into one reel, by the first engine whose output is proven."""
