"""Pictures of data and results: the only place that draws."""
