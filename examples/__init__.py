"""Examples: the gallery of functions that `dev.py demo` ships."""
