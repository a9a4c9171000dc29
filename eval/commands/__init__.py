"""The commands of `python -m eval`, a file each: `add` declares the arguments and the function."""
