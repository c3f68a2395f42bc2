"""What travels between the stages: read, checked and written here."""
