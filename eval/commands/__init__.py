"""The commands of `python -m eval`, a file each: `add` declares its arguments, and names what carries it out."""
