"""From web images to a manifest; no training code."""
