"""Public pages for people: mailed links, the session that a link opens, forms, throttle, sign-in, confirmation."""
