"""What `dev.py` and the build are made of."""
