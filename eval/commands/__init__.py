"""The commands of `footnote eval`, a file each: `add` declares the arguments and the function."""
