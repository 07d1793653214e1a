"""The contract engine: the only code that knows Connexion and Flask.

`app.create_app` makes the application; `engine` answers requests by a plan per operation; each
other file has one part of that: contract, routing, schema, parameters, bodies, security, perform,
answers, caching, …
"""

import warnings

# Connexion imports Starlette's test client, which warns that it will want another HTTP library.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
