"""Files that stages exchange: read, checked and written here."""
