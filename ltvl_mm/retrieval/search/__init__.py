"""Exact search for the best images of each class."""
