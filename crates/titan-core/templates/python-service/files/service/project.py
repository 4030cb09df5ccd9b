"""The project's own words."""

TITLE = {{ title }}
DESCRIPTION = {{ description }}
FEATURES: list[str] = {{ features }}
