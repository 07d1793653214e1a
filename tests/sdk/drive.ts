// Drives the generated TypeScript client: signs in, lists, creates, is refused, and calls too often.
// Compiled strictly, so that a type that does not hold is an error before anything is sent.
import { createFavorite, deleteFavorite, listFavorites, listMovies, login } from 'marquee-client'
import type { ErrorCode, Movie } from 'marquee-client'
import { client } from 'marquee-client/client'

declare const process: { argv: string[] }

function equal<T>(found: T, expected: T, what: string): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)} instead of ${String(expected)}`)
}

async function main(server: string): Promise<void> {
  client.setConfig({ baseUrl: `${server}/api/v1` })
  const signedIn = await login({ body: { username: 'casey', password: 'marquee-casey' } })
  if (!signedIn.data) throw new Error(`login: ${signedIn.error.error.message}`)
  const { access_token: token, user } = signedIn.data
  client.setConfig({ auth: (scheme) => (scheme.scheme === 'bearer' ? token : undefined) })

  const page = await listMovies({ query: { sort: 'title', page_size: 5 } })
  if (!page.data) throw new Error(`list: ${page.error.error.message}`)
  equal(page.data.results.length, 5, 'films on the page')
  const film: Movie = page.data.results[0]!

  const path = { user_id: user.id }
  const created = await createFavorite({ path, body: { movie_id: film.id } })
  equal(created.response?.status, 201, 'status of the create')
  equal(created.data?.movie_id, film.id, 'film of the favourite')
  const kept = await listFavorites({ path, query: { limit: 10 } })
  equal(kept.data?.favorites[0]?.title, film.title, 'title of the favourite')

  const again = await createFavorite({ path, body: { movie_id: film.id } })
  const exists: ErrorCode = 'FAVORITE_EXISTS'
  equal(again.error?.error.code, exists, 'code of the second create')
  equal(again.error?.error.details?.existing_id, created.data?.id, 'favourite that exists')
  const gone = await deleteFavorite({ path: { ...path, favorite_id: created.data?.id ?? 0 } })
  equal(gone.response?.status, 204, 'status of the delete')

  for (let count = 0; count < 10; count++) {
    const refused = await login({ body: { username: 'casey', password: 'wrong' } })
    if (refused.error?.error.code === 'RATE_LIMITED') {
      equal(refused.response?.status, 429, 'status of too many')
      if (Number(refused.response?.headers.get('Retry-After')) <= 0) throw new Error('no Retry-After')
      console.log('driven')
      return
    }
    equal(refused.error?.error.code, 'INVALID_CREDENTIALS', 'code of a wrong password')
  }
  throw new Error('ten wrong passwords and no 429')
}

void main(process.argv[2] ?? '')
