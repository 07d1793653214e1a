"""Outside services: one adapter each, and beside it the twin that stands in where there is no key.

What an adapter gives out has been checked and cleaned, so that the rest of Marquee need not doubt
it. What it cannot give it refuses in the words of `marquee.errors`: `Unavailable` (503) when the
service is down, refuses our key, limits us or talks nonsense; `TimedOut` (504) when it is too slow;
None where the service says that there is no such thing. Nothing here knows HTTP's other side, ours.

- `http`: calling a service, with retries, metrics and a log
- `streams`: the same for answers that are read while they come
- `wire`: one exchange with a server, bounded in time and size
- `lines`: connections that can be cut
- `guard`: which addresses are public
- `circuit`: leaving alone what keeps failing
- `kept`: answers with an ETag, so that asking again is cheap
- `fields`: reading a stranger's JSON
- `tmdb`: The Movie Database
- `pictures`: TMDB's pictures
- `media_server`: a Jellyfin or Emby server: its accounts, what it has, playlists
- `trakt`: what people rated at Trakt
- `oidc`: OpenID providers
- `oidc_answers`: reading what they say
- `embeddings`: texts as vectors
- `text`: sentences for people
- `storage`: files, in a folder or a bucket
- `mail`: sending e-mail
- `smtp`: a server that takes it
- `mailbox`: the folder that it is kept in where there is no such server
"""
