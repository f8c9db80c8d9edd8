"""The torch side of the networks: imported when one is fitted or forecasts, because torch takes seconds to import."""
