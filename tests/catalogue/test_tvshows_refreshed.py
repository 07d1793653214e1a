"""Series, and what hangs on them, as TMDB has it."""

from tests.catalogue.refreshed import ExternalIds, Images, RefreshMetadata, WatchProviders


class TestRefreshTvshowMetadata(RefreshMetadata):
    kind = "tvshows"


class TestListTvshowImages(Images):
    kind = "tvshows"


class TestGetTvshowExternalIds(ExternalIds):
    kind = "tvshows"


class TestListTvshowWatchProviders(WatchProviders):
    kind = "tvshows"
