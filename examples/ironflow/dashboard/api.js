/** The server, as the dashboard sees it: the session's token, the environment, and requests. */

const TOKEN = 'ironflow_dashboard_token'
const ENVIRONMENT = 'ironflow_environment'

/** Whether there may be a session: a token was stored here. */
export function isLoggedIn() {
  return localStorage.getItem(TOKEN) !== null
}

/** Store the token that a login answered; the cookie was set by the server. */
export function keepToken(token) {
  localStorage.setItem(TOKEN, token)
}

/** Forget the token. */
export function clearToken() {
  localStorage.removeItem(TOKEN)
}

/** Call back when another tab logs in or out. */
export function onTokenChange(callback) {
  addEventListener('storage', ({ key }) => {
    if (key === TOKEN || key === null) callback()
  })
}

// Of this tab alone, also after a reload: what another tab chooses must not change where this one writes. A new tab begins
// where the last choice was made.
let environment = sessionStorage.getItem(ENVIRONMENT) ?? localStorage.getItem(ENVIRONMENT) ?? 'env_default'
sessionStorage.setItem(ENVIRONMENT, environment)

/** The environment that requests of this tab act in. */
export function currentEnvironment() {
  return environment
}

/** Act in another one from the next request on. */
export function setEnvironment(id) {
  environment = id
  sessionStorage.setItem(ENVIRONMENT, id)
  localStorage.setItem(ENVIRONMENT, id)
}

let onSessionEnd = () => {}

/** Say what happens when a request is told that its session is over. */
export function whenSessionEnds(callback) {
  onSessionEnd = callback
}

const PATIENCE_MS = 30_000

/**
 * Ask the server; the browser adds the cookie. Never throws: `{ status, ok, body, retryAfter }`, status 0 where nobody
 * answered. With `judge: 'caller'` a 401 is the caller's to handle.
 */
export async function ask(method, path, { json, inEnvironment = false, judge = 'session' } = {}) {
  const headers = {}
  if (json !== undefined) headers['Content-Type'] = 'application/json'
  if (inEnvironment) headers['X-Ironflow-Environment'] = currentEnvironment()
  try {
    const response = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      body: json === undefined ? undefined : JSON.stringify(json),
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const text = await response.text()
    const body = text.startsWith('{') ? JSON.parse(text) : null
    if (response.status === 401 && judge === 'session') onSessionEnd()
    const retryAfter = Number(response.headers.get('Retry-After') ?? 0)
    return { status: response.status, ok: response.ok, body, retryAfter }
  } catch {
    return { status: 0, ok: false, body: null, retryAfter: 0 }
  }
}

/** A sentence for an answer that is none of those a page knows better. */
export function sentenceFor({ status, retryAfter }) {
  if (status === 0) return 'The server does not answer. Check that it is running, then try again.'
  if (status === 401) return 'Your session has ended.'
  if (status === 403) return 'Your role does not allow this.'
  if (status === 404) return 'It is no longer there.'
  if (status === 429) return `Too many tries. Wait ${duration(retryAfter)}, then try again.`
  if (status === 503) return 'The server is busy. Try again in a moment.'
  return status >= 500 ? 'Something went wrong on the server. Try again.' : 'That could not be done.'
}

/** Some seconds, in words. */
export function duration(seconds) {
  if (seconds < 60) return seconds === 1 ? '1 second' : `${seconds} seconds`
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
