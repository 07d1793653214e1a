// Opens the explorer in headless Chromium, uses it as a person would, and prints as JSON what was seen.
// node drive.mjs NPM_FOLDER CHROMIUM SERVER API_KEY SCREENSHOT_FOLDER
import { createRequire } from 'node:module'

const [npm, executablePath, server, apiKey, pictures] = process.argv.slice(2)
const puppeteer = createRequire(`${npm}/`)('puppeteer-core')
const PATIENCE = { timeout: 30_000 }
const seen = { errors: [], violations: [], foreign: [], calls: [] }

const browser = await puppeteer.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
})
try {
  const page = await browser.newPage()
  await page.setViewport({ width: 1400, height: 1000 })
  await watch(page)

  await open(page)
  seen.text = await page.evaluate(() => document.body.innerText)
  await page.screenshot({ path: `${pictures}/explorer.png` })

  await (await page.waitForSelector('input[placeholder="Token"]', PATIENCE)).type(apiKey)
  await tryOperation(page, 'users', 'GET/users/me', 'get /users/me')
  seen.bearer = await answer(page, '"username"')
  seen.columns = await columns(page)
  await page.screenshot({ path: `${pictures}/answer.png` })

  // By API key, chosen from the list instead of the bearer.
  await open(page)
  await press(page, 'Selected Auth Type: bearer')
  await press(page, 'api_key', '[role=option]')
  await press(page, 'bearer', '[role=option]')
  await page.keyboard.press('Escape')
  await (await page.waitForSelector('.scalar-password-input', PATIENCE)).type(apiKey)
  await tryOperation(page, 'users', 'GET/users/me', 'get /users/me')
  await answer(page, '"username"')

  // As a browser that has signed in: cookies alone, and the CSRF token that the page adds by itself.
  seen.session = await page.evaluate(signInAndWrite)
  await open(page)
  await tryOperation(page, 'auth', 'POST/auth/login', 'post /auth/login')
  await answer(page, 'INVALID_CREDENTIALS')
  seen.storage = await page.evaluate(() => ({ ...localStorage, ...sessionStorage }))
} finally {
  await browser.close()
}
console.log(JSON.stringify(seen))

// Notes what must not happen, and the calls that the page makes.
async function watch(page) {
  await page.exposeFunction('noteViolation', (directive, blocked) => seen.violations.push(`${directive} ${blocked}`))
  await page.evaluateOnNewDocument(() =>
    document.addEventListener('securitypolicyviolation', (event) =>
      window.noteViolation(event.effectiveDirective, event.blockedURI)))
  page.on('pageerror', (error) => seen.errors.push(String(error)))
  page.on('console', (message) => {
    // What the policy forbids is told by its own event, which names the directive.
    if (message.type() === 'error' && !message.text().includes('Content Security Policy')) {
      seen.errors.push(`${message.text()} ${message.location().url}`)
    }
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${server}/`) && !/^(data|blob):/.test(request.url())) seen.foreign.push(request.url())
  })
  page.on('response', (response) => {
    const request = response.request()
    const { authorization: bearer, 'x-api-key': key, 'x-csrf-token': csrf } = request.headers()
    const { pathname: path } = new URL(response.url())
    seen.calls.push({ method: request.method(), path, status: response.status(), bearer, key, csrf: csrf !== undefined })
  })
}

async function open(page) {
  await page.goto(`${server}/api/v1/ui`, { waitUntil: 'load', timeout: 60_000 })
  await page.waitForFunction(() => document.body.innerText.includes('Test Request'), { timeout: 60_000 })
}

// Goes to an operation by the menu, opens "Test Request", and sends it.
async function tryOperation(page, tag, anchor, words) {
  if ((await page.$(`aside a[href="#tag/${tag}/${anchor}"]`)) === null) await press(page, `Open Group - ${tag}`)
  await (await page.waitForSelector(`aside a[href="#tag/${tag}/${anchor}"]`, PATIENCE)).click()
  await press(page, `Test Request (${words})`)
  await press(page, 'Send')
}

// What the dialog shows of the answer, when it shows these words.
async function answer(page, words) {
  const dialog = await page.waitForFunction((wanted) =>
    [...document.querySelectorAll('[role=dialog]')].find((each) => each.innerText.includes(wanted)), PATIENCE, words)
  await page.waitForFunction((each) => each.innerText.includes('Response Headers'), PATIENCE, dialog)
  await new Promise((done) => setTimeout(done, 1000)) // it fades in
  return dialog.evaluate((each) => each.innerText)
}

// Where the answer's line numbers and its text begin: beside each other, if the editor's styles hold.
function columns(page) {
  return page.evaluate(() => ['.cm-gutters', '.cm-content'].map((each) => {
    const all = [...document.querySelectorAll(`[role=dialog] ${each}`)]
    return all[all.length - 1].getBoundingClientRect().toJSON()
  }))
}

// Clicks the first visible element with such words.
async function press(page, words, selector = 'button') {
  const found = await page.waitForFunction((each, wanted) => [...document.querySelectorAll(each)].find((element) =>
    `${element.innerText} ${element.ariaLabel}`.replace(/\s+/g, ' ').includes(wanted) && element.checkVisibility()),
    PATIENCE, selector, words)
  await found.evaluate((element) => element.scrollIntoView({ block: 'center' }))
  await found.click()
}

// Runs in the page: signs in with the CSRF pair that the page was given, then writes with cookie and token alone.
async function signInAndWrite() {
  const token = () => decodeURIComponent(document.cookie.match(/__csrf=([^;]+)/)[1])
  const send = (path, method, body, csrf) =>
    fetch(`/api/v1${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...(csrf ? { 'X-CSRF-Token': token() } : {}) },
      body: body && JSON.stringify(body),
    })
  const credentials = { username: 'casey', password: 'marquee-casey' }
  const login = await send('/auth/login', 'POST', credentials, true)
  const me = await (await send('/users/me', 'GET')).json()
  const film = (await (await send('/movies?page_size=1', 'GET')).json()).results[0]
  const without = await send(`/users/${me.id}/favorites`, 'POST', { movie_id: film.id }, false)
  const created = await send(`/users/${me.id}/favorites`, 'POST', { movie_id: film.id }, true)
  const { id } = await created.json()
  const removed = await send(`/users/${me.id}/favorites/${id}`, 'DELETE', undefined, true)
  return { login: login.status, name: me.username, without: without.status, created: created.status, removed: removed.status }
}
