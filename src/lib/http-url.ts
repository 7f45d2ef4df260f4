/** Judge URLs that trust hangs on: https, or http on this very machine; nothing hidden in them. */

/**
 * Say what is wrong with a URL that keys or tokens may travel to, or `null`: it must be `https:`, or `http:` for loopback
 * hosts only, or whichever hosts `mayBeHttp` says; no credentials, no fragment, no white space, backslash or quotes (parsers
 * drop, turn or encode those, silently). Never shows the URL, which may hold a password.
 */
export function describeHttpUrl(
  text: unknown,
  mayBeHttp: (hostname: string) => boolean = isLoopbackHost,
): string | null {
  if (typeof text !== 'string' || /[\s\p{Cc}\\"`]|^'|'$/u.test(text) || !URL.canParse(text)) {
    return 'must be an absolute URL'
  }
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https URL'
  if (url.protocol === 'http:' && !mayBeHttp(url.hostname)) {
    const others = mayBeHttp === isLoopbackHost ? 'only' : 'and those in `insecureHosts`'
    return `must be an https URL; http is for loopback hosts ${others}`
  }
  if (url.username !== '' || url.password !== '') return 'must not contain credentials'
  return text.includes('#') ? 'must not contain a fragment' : null
}

/**
 * The same of a URL that stands in an answer, where others compare it character by character: it must be written as URL
 * parsers write it, with or without the slash of an empty path; so it is ASCII, too.
 */
export function describeExactUrl(text: unknown): string | null {
  const wrong = describeHttpUrl(text)
  if (wrong !== null) return wrong
  const { href, pathname } = new URL(text as string)
  if (text === href || (pathname === '/' && `${text}/` === href)) return null
  return 'must be written as URL parsers write it: lower-case host, no default port, ASCII'
}

/** Say what is wrong with the URL of a Supabase project, or `null`: what pages of the dashboard show beside it is not it. */
export function describeProjectUrl(value: unknown, mayBeHttp?: (hostname: string) => boolean): string | null {
  const wrong = describeHttpUrl(value, mayBeHttp)
  if (wrong !== null) return wrong
  const { pathname, search, hostname } = new URL(value as string)
  if (search !== '') return 'must not contain a query'
  if (/^(?:app\.)?supabase\.com$/.test(hostname)) return "is the dashboard's, not the project's"
  const [service] = /\/(?:auth|rest|storage|realtime|functions|graphql)\/v1(?:\/|$)/i.exec(pathname) ?? []
  return service === undefined ? null : `is the project's, without ${service.replace(/\/$/, '')} and what follows`
}

/**
 * Parse a URL that a document names (an issuer's metadata), as {@link describeHttpUrl} wants it: where one of `from`, the
 * issuer and the place the document was found at, is https, it must be https too, also on loopback.
 *
 * @throws TypeError naming the rule that is broken
 */
export function parseNamedUrl(
  name: string,
  text: unknown,
  from: readonly string[],
  mayBeHttp?: (hostname: string) => boolean,
): URL {
  const wrong = describeHttpUrl(text, mayBeHttp)
  if (wrong !== null) throw new TypeError(`${name} ${wrong}`)
  const url = new URL(text as string)
  if (url.protocol !== 'https:' && from.some((each) => /^https:/i.test(each))) {
    throw new TypeError(`${name} must be an https URL, as the document that names it`)
  }
  return url
}

/** Ask whether a host name is this very machine: 127.0.0.0/8, `::1`, `localhost`, `*.localhost` (RFC 6761 §6.3). */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK.test(hostname)
}

const LOOPBACK = /^(?:(?:.+\.)?localhost|\[::1\]|::1|127(?:\.(?:25[0-5]|2[0-4]\d|[01]?\d?\d)){3})$/is

/** Ask whether a text is an http or https URL of a loopback host. */
export function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return (url.protocol === 'http:' || url.protocol === 'https:') && isLoopbackHost(url.hostname)
}

/** Say what is wrong with the name of a host as an option has it, or `null`: as URLs have it, without scheme and port. */
export function describeHost(host: unknown): string | null {
  const url = `http://${String(host)}`
  const isHost = /^[\w.:[\]-]+$/.test(String(host)) && URL.canParse(url) && new URL(url).hostname === host
  return isHost ? null : 'must be the name of a host, in lower case, without scheme and port'
}

/** Make what asks whether a host is this very machine or one of `hosts`, a list or nothing. */
export function orLoopback(hosts: unknown): (hostname: string) => boolean {
  return (hostname) => isLoopbackHost(hostname) || (Array.isArray(hosts) && hosts.includes(hostname))
}
