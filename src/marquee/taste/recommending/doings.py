"""What users do that says something of their taste, in SQL alone, for who asks without the engine.

A film's key is its id, a series' key its id below zero.
"""

DOINGS = """
SELECT user_id, coalesce(movie_id, -tvshow_id) AS key, score, 0 AS favorite, 0 AS plays,
    NULL::float AS share, updated_at AS at, 0 AS unwanted
FROM ratings WHERE {of_users}
UNION ALL
SELECT user_id, movie_id, NULL, 1, 0, NULL, created_at, 0 FROM favorites WHERE {of_users}
UNION ALL
SELECT user_id, movie_id, NULL, 0, greatest(watch_count, 1), NULL, last_watched_at,
    (remark IS NOT DISTINCT FROM 'not_interested')::integer
FROM watches WHERE {of_users} AND movie_id IS NOT NULL
    AND (is_completed OR watch_count > 0 OR remark IN ('liked', 'not_interested')
        OR progress_seconds >= 0.05 * duration_seconds)
UNION ALL
SELECT user_id, -tvshow_id, NULL, 0, count(*), least(1, count(*)::float
    / greatest(max(tvshows.total_episodes), 1)), max(last_watched_at), 0
FROM watches JOIN tvshows ON tvshows.id = tvshow_id
WHERE {of_users} AND episode_id IS NOT NULL AND (is_completed OR watch_count > 0)
GROUP BY user_id, tvshow_id
"""
"""Rows of `user_id`, `key`, `score`, `favorite`, `plays`, `share`, `at` and `unwanted`, several for
a title; `{of_users}` is to be a condition on `user_id`."""
