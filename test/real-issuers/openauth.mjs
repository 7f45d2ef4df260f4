import { issuer } from '@openauthjs/openauth'
import { CodeProvider } from '@openauthjs/openauth/provider/code'
import { MemoryStorage } from '@openauthjs/openauth/storage/memory'
import { createSubjects } from '@openauthjs/openauth/subject'
import { createBrowser, listen } from './listen.mjs'

const CLIENT = 'dashboard'
const anything = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }

/** OpenAuth: people sign in by a code sent to their address; its metadata is that of RFC 8414 alone. */
export async function startOpenAuth() {
  const codes = new Map()
  const app = issuer({
    subjects: createSubjects({ user: anything }),
    storage: MemoryStorage(),
    providers: {
      code: CodeProvider({
        request: async () => new Response('who is it?'),
        sendCode: async ({ email }, code) => {
          codes.set(email, code)
        },
      }),
    },
    allow: async () => true,
    success: (context, { claims }) => context.subject('user', { email: claims.email }),
  })
  const { url, stop } = await listen((req, res) => serve(app, req, res))
  return {
    issuer: url,
    stop,
    /** Sign somebody in: their access token. */
    async signIn(email) {
      const ask = createBrowser(url)
      const redirect_uri = `${url}/callback`
      const query = new URLSearchParams({ client_id: CLIENT, redirect_uri, response_type: 'code', provider: 'code' })
      const form = (await ask(`/authorize?${query}`)).headers.get('location')
      await ask(form, { action: 'request', email })
      const done = await ask(form, { action: 'verify', code: codes.get(email) })
      const code = new URL(done.headers.get('location')).searchParams.get('code')
      const answer = await ask('/token', { grant_type: 'authorization_code', client_id: CLIENT, redirect_uri, code })
      return (await answer.json()).access_token
    },
  }
}

async function serve(app, req, res) {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const answer = await app.fetch(
    new Request(`http://${req.headers.host}${req.url}`, {
      method: req.method,
      headers: req.headers,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    }),
  )
  const lines = [...answer.headers].filter(([name]) => name !== 'set-cookie')
  res.writeHead(answer.status, [...lines, ...answer.headers.getSetCookie().map((line) => ['set-cookie', line])].flat())
  res.end(Buffer.from(await answer.arrayBuffer()))
}
