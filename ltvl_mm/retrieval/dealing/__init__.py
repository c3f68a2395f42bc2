"""Engines that deal shards and units to processes."""
