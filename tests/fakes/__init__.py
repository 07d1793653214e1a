"""HTTP servers on 127.0.0.1 that behave like the services that Marquee calls, and break at will."""
