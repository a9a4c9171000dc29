"""Files become documents, documents become sentences and passages."""
