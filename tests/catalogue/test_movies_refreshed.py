"""Films, and what hangs on them, as TMDB has it."""

from tests.catalogue.refreshed import ExternalIds, Images, RefreshMetadata, WatchProviders


class TestRefreshMovieMetadata(RefreshMetadata):
    kind = "movies"


class TestListMovieImages(Images):
    kind = "movies"


class TestGetMovieExternalIds(ExternalIds):
    kind = "movies"


class TestListMovieWatchProviders(WatchProviders):
    kind = "movies"
