"""Which sentence answers the question, and how sure the reader is that any does."""
