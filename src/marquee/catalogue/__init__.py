"""What there is to watch: films, series, and the people who made them.

Other domains may ask for the models, and for `movies.service.named`, the film that a body names by
an id of ours or of TMDB.
"""
