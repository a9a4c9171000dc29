"""The door of the page: which requests reach it, who is logged in, what browsers may do."""
