import { createServer } from 'node:http'

/** A server on a free port of loopback: its URL, and its end. */
export async function listen(handle) {
  const server = createServer((req, res) => void handle(req, res))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A browser as far as a sign-in needs one: it keeps cookies, and follows no redirect by itself. */
export function createBrowser(base) {
  const jar = new Map()
  return async (url, form) => {
    const response = await fetch(new URL(url, base), {
      redirect: 'manual',
      headers: { cookie: [...jar].map((pair) => pair.join('=')).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/s)
      jar.set(name, value)
    }
    return response
  }
}
