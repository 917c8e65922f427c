"""The resources as pydantic models: the one place where each field is defined and documented."""
