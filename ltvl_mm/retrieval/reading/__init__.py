"""Image files in, embedding store out."""
