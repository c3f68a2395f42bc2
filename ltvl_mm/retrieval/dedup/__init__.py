"""Near-duplicates among retrieved images, and of test images."""
