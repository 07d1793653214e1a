// Starts the explorer. Nothing is asked of any other host, and no credential outlives the page.
// Loaded before Scalar, which begins when the page is complete.

// The page's policy takes styles with its nonce alone. Parts of Scalar know of no nonce: without these two, the
// answer of a call would be drawn as a heap of lines. Only scripts of this host run here to make use of them.
const { nonce } = document.querySelector('meta[property="csp-nonce"]')
const { createElement } = Document.prototype
const { setAttribute } = Element.prototype

Document.prototype.createElement = function (...words) {
  const element = createElement.apply(this, words)
  if (element.localName === 'style') element.nonce = nonce
  return element
}

Element.prototype.setAttribute = function (name, value) {
  if (name === 'style' && this.style) this.style.cssText = value
  else setAttribute.call(this, name, value)
}

function csrfToken() {
  const pair = document.cookie.split('; ').find((each) => each.startsWith('__csrf='))
  return pair ? decodeURIComponent(pair.slice('__csrf='.length)) : null
}

document.addEventListener('DOMContentLoaded', () => {
  Scalar.createApiReference('#app', {
    url: document.getElementById('app').dataset.contract,
    withDefaultFonts: false,
    telemetry: false,
    showDeveloperTools: 'never',
    hideClientButton: true,
    agent: { disabled: true },
    mcp: { disabled: true },
    persistAuth: false,
    authentication: { preferredSecurityScheme: 'bearer' },
    // A signed-in browser's unsafe calls need the CSRF token beside the cookie.
    onBeforeRequest: ({ requestBuilder: request }) => {
      const token = csrfToken()
      const unsafe = !['GET', 'HEAD', 'OPTIONS'].includes(request.method)
      if (token && unsafe && !request.headers.has('X-CSRF-Token')) request.headers.set('X-CSRF-Token', token)
    },
  })
})
