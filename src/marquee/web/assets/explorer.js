// Starts the explorer. Nothing is asked of any other host, and no credential outlives the page.
const app = document.getElementById('app')

function csrfToken() {
  const pair = document.cookie.split('; ').find((each) => each.startsWith('__csrf='))
  return pair ? decodeURIComponent(pair.slice('__csrf='.length)) : null
}

Scalar.createApiReference('#app', {
  url: app.dataset.contract,
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: 'never',
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  persistAuth: false,
  authentication: { preferredSecurityScheme: 'bearer' },
  // A signed-in browser's unsafe calls need the CSRF token beside the cookie.
  onBeforeRequest: ({ request }) => {
    const token = csrfToken()
    const unsafe = !['GET', 'HEAD', 'OPTIONS'].includes(request.method)
    if (token && unsafe && !request.headers.has('X-CSRF-Token')) request.headers.set('X-CSRF-Token', token)
  },
})
