"""A language model behind its server."""
