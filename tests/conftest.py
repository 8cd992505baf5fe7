"""What holds for all tests."""

from hypothesis import settings

# A busy machine may take long over one example; that is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
