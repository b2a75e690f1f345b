"""Staff console: shows cases, and the actions on them."""
