"""What `dev.py` and the build are made of. This file is read by Pythons that cannot read the others."""

OLDEST = (3, 11)
