"""The library page, and the thread that adds documents."""
