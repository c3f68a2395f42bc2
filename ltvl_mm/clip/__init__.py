"""CLIP models on torch and open_clip alone: towers, texts, preprocessing."""
