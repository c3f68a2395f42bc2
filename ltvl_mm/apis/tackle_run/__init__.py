"""From a folder of photos to a report: one resumable command."""
