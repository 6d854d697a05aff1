"""What every test shares: deterministic property tests."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "mint",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mint")
