"""Catalogues to try Marquee with: real titles (`loading`) and made-up ones (`synthetic`)."""
