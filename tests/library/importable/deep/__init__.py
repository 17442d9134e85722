"""A package whose submodule is not imported with it."""
