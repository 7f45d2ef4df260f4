import { OAuth2Server } from 'oauth2-mock-server'

/** oauth2-mock-server with one key of an algorithm; `claims` are written into every token it grants. */
export async function startMockServer(algorithm, claims) {
  const server = new OAuth2Server()
  await server.issuer.keys.generate(algorithm)
  server.service.on('beforeTokenSigning', (token) => Object.assign(token.payload, claims))
  await server.start(0, '127.0.0.1')
  const { url } = server.issuer
  return {
    issuer: url,
    stop: () => server.stop(),
    /** Grant a token: `{ grant_type: 'client_credentials' }`, or a person's by `password`. */
    async grant(form) {
      const response = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(form) })
      return (await response.json()).access_token
    },
  }
}
