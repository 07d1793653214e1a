// Fastify as one would write it: JSON schemas for requests and answers, hooks, and pg's pool.
// The statements are Marquee's own, prepared once by their names.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.BENCH_NPM}/`)
const fastify = require('fastify')
const pg = require('pg')

const shared = JSON.parse(readFileSync(process.env.BENCH_SHARED))
const { components } = JSON.parse(readFileSync(process.env.BENCH_CONTRACT))
const tokens = new Map([[shared.token, 1]])

const DATE = 1082, INT8 = 20
pg.types.setTypeParser(DATE, text => text)
pg.types.setTypeParser(INT8, Number)
const url = new URL(process.env.BENCH_DATABASE.replace('@/', '@localhost/'))
const pool = new pg.Pool({
  max: 16,
  user: decodeURIComponent(url.username),
  password: decodeURIComponent(url.password),
  database: url.pathname.slice(1),
  host: url.searchParams.get('host') ?? url.hostname,
  port: Number(url.searchParams.get('port') ?? url.port),
})

const statements = {}
for (const [operation, purposes] of Object.entries(shared.statements)) {
  statements[operation] = {}
  for (const [purpose, { numbered, names }] of Object.entries(purposes)) {
    statements[operation][purpose] = (client, values) =>
      client.query({ name: `${operation}-${purpose}`, text: numbered, values: names.map(name => values[name]) })
  }
}

// JSON Schema 7 from OpenAPI 3.0: references resolved, `nullable` as a type.
function schema (node) {
  if (Array.isArray(node)) return node.map(schema)
  if (node === null || typeof node !== 'object') return node
  if (node.$ref) return schema(components.schemas[node.$ref.split('/').pop()])
  const made = {}
  for (const [name, value] of Object.entries(node)) {
    if (name === 'properties') {
      made.properties = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, schema(part)]))
    } else if (!name.startsWith('x-') && !['nullable', 'example', 'description'].includes(name)) {
      made[name] = schema(value)
    }
  }
  if (node.nullable) made.type = [made.type, 'null']
  return made
}
const named = name => schema({ $ref: `#/components/schemas/${name}` })
const object = (properties, required = []) => ({ type: 'object', properties, required })
const integer = (minimum, maximum, more = {}) => ({ type: 'integer', minimum, maximum, ...more })
const id = integer(1, Number.MAX_SAFE_INTEGER)

class Refusal extends Error {
  constructor (statusCode) { super('refused'); this.statusCode = statusCode }
}

function bearer (request) {
  const [kind, token] = (request.headers.authorization ?? '').split(' ')
  if (kind.toLowerCase() !== 'bearer') throw new Refusal(401)
  return token
}

async function known (request) {
  request.user = tokens.get(bearer(request))
  if (!request.user) throw new Refusal(401)
}

async function caller (client, request, find, permission, scope) {
  const digest = createHash('sha256').update(bearer(request)).digest()
  const found = (await find(client, { digest })).rows[0]
  if (!found) throw new Refusal(401)
  const allowed = [permission, `${permission.split(':')[0]}:*`, '*:*']
  if (!found.scopes.includes(scope) || !allowed.some(each => found.permissions.includes(each))) throw new Refusal(403)
  return found
}

const query = object({
  page: integer(1, 10000, { default: 1 }),
  page_size: integer(1, 100, { default: 20 }),
  sort: { type: 'string', enum: ['title', 'year', 'rating', 'popularity'], default: 'popularity' },
})

const handlers = {
  ping: { schema: { response: { 200: named('BenchPing') } }, handler: async () => ({ ok: true }) },
  list_films: {
    preHandler: known,
    schema: { querystring: query, response: { 200: named('BenchFilmPage') } },
    handler: async ({ query: { page, page_size } }) => ({ items: shared.films, page, page_size, total: 12345 }),
  },
  get_film: {
    preHandler: known,
    schema: { params: object({ film_id: id }), response: { 200: named('BenchFilm') } },
    handler: async ({ params }) => shared.films[params.film_id % 20],
  },
  create_rating: {
    preHandler: known,
    schema: { body: named('BenchNewRating'), response: { 201: named('BenchRating') } },
    handler: async ({ body, user }, reply) => {
      reply.code(201)
      return {
        id: 1, movie_id: body.movie_id, score: body.score, user_id: user, comment: body.comment ?? null,
        tags: body.tags ?? [], created_at: '2026-11-22T08:00:00.000000Z',
      }
    },
  },
  get_movie: {
    schema: { params: object({ movie_id: id }), response: { 200: named('MovieDetails') } },
    handler: async request => {
      const { movie_id } = request.params
      const sql = statements.get_movie
      await caller(pool, request, sql.caller, 'movies:get', 'read')
      const movie = (await sql.movie(pool, { movie_id })).rows[0]
      if (!movie) throw new Refusal(404)
      const people = (await sql.people(pool, { movie_id })).rows
      const of = job => people.filter(each => each.job === job)
      const audience = movie.external_ratings.find(each => each.source === 'rotten_tomatoes_audience')
      return {
        ...movie, directors: of('director'), writers: of('writer'), cinematographers: of('cinematographer'),
        composers: of('composer'), editors: of('editor'), cast_members: of('actor'), studios: movie.studios_named ?? [],
        rt_audience_score: audience ? Math.round(audience.score * 10) : null,
      }
    },
  },
  list_movies: {
    schema: {
      querystring: object({
        page: integer(1, 10000, { default: 1 }),
        page_size: integer(1, 100, { default: 20 }),
        year_from: integer(1878, 2100),
        min_score: { type: 'number', minimum: 0, maximum: 10 },
        sort: { type: 'string', enum: ['popularity', 'title', 'year', 'added', 'rating'] },
      }),
      response: { 200: named('MoviePage') },
    },
    handler: async request => {
      const { page, page_size, year_from, min_score } = request.query
      const sql = statements.list_movies
      await caller(pool, request, sql.caller, 'movies:list', 'read')
      const counted = (await sql.total(pool, { year_from, min_score })).rows[0]
      const total = Object.values(counted)[0]
      const values = { year_from, min_score, limit: page_size, offset: (page - 1) * page_size }
      const { rows } = await sql.page(pool, values)
      return {
        page, page_size, total_pages: Math.ceil(total / page_size), total_results: total,
        total_is_estimate: false, results: rows,
      }
    },
  },
  list_favorites: {
    schema: {
      params: object({ user_id: id }),
      querystring: object({ limit: integer(1, 100, { default: 50 }) }),
      response: { 200: named('FavoritePage') },
    },
    handler: async request => {
      const { user_id } = request.params
      const { limit } = request.query
      const sql = statements.list_favorites
      const who = await caller(pool, request, sql.caller, 'favorites:list', 'read')
      if (who.id !== user_id) throw new Refusal(403)
      if (!(await sql.owner(pool, { user_id })).rows[0]) throw new Refusal(404)
      const { rows } = await sql.page(pool, { user_id, limit_and_one: limit + 1 })
      let next_cursor = null
      if (rows.length > limit) {
        const last = `favorites:${rows[limit - 1].id}`
        next_cursor = `${last}.${createHmac('sha256', 'secret').update(last).digest('hex')}`
      }
      return { favorites: rows.slice(0, limit), next_cursor }
    },
  },
  create_star_rating: {
    schema: {
      body: {
        ...object({ movie_id: id, rating: { type: 'number', minimum: 0, maximum: 5, multipleOf: 0.5 } }, ['movie_id', 'rating']),
        additionalProperties: false,
      },
      response: { 201: named('StarRating') },
    },
    handler: async (request, reply) => {
      const { movie_id, rating } = request.body
      const sql = statements.create_star_rating
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        const who = await caller(client, request, sql.caller, 'ratings:create', 'write')
        if (!(await sql.movie(client, { movie_id })).rows[0]) throw new Refusal(404)
        const made = (await sql.rating(client, { user_id: who.id, movie_id, score: rating * 2 })).rows[0]
        if (!made) throw new Refusal(409)
        await sql.audit(client, {
          user_id: who.id, username: who.username, resource_id: String(made.id), address: request.ip,
          user_agent: request.headers['user-agent'] ?? null, request_id: randomBytes(12).toString('hex'),
        })
        await client.query('COMMIT')
        reply.code(201)
        return { ...made, rating: Math.round(made.score) / 2 }
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      } finally {
        client.release()
      }
    },
  },
}

const synthetic = { handler: async () => ({ id: 1, name: 'synthetic' }) }
const app = fastify({ logger: false, ajv: { customOptions: { removeAdditional: false, coerceTypes: true } } })
for (const [method, path, name] of shared.routes) {
  const url = path.replace(/\{(\w+)\}/g, ':$1')
  app.route({ method, url, ...(handlers[name] ?? synthetic) })
}
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
