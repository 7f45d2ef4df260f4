import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { type ContextOf, isAuthError } from 'sallyport'
import { fromNodeRequest, keepHeaders } from 'sallyport/adapter'
import { auth } from './auth.ts'

/** The options of a route: who may call it is asked before the body is read. */
export function protect<const A extends Parameters<typeof auth.authorizer>[0]>(
  access: A,
  handle: (context: ContextOf<typeof auth, A>, request: FastifyRequest, reply: FastifyReply) => unknown,
) {
  const authorize = auth.authorizer(access) // a wrong Access throws here, at start
  return {
    async onRequest(request: FastifyRequest, reply: FastifyReply) {
      const params = request.params as Record<string, string>
      const { responseHeaders } = await authorize(fromNodeRequest(request.raw, { params, response: reply.raw }))
      keepHeaders(reply.raw, responseHeaders)
    },
    handler: (request: FastifyRequest, reply: FastifyReply) => handle(authorize.contextOf(request.raw), request, reply),
  }
}

export const app = Fastify()

app.setErrorHandler((thrown, request, reply) => {
  const error = auth.recordRefusal(request.raw, thrown) // what a handler refuses stands in the record, too
  if (!isAuthError(error)) throw error
  const { status, headers, body } = auth.toResponse(error)
  for (const [name, value] of headers) reply.header(name, value)
  return reply.code(status).send(body === null ? undefined : Buffer.from(body))
})

app.get(
  '/api/me',
  protect({}, ({ user, org, role }) => ({ user: user.email, org: org.name, role })),
)
app.post(
  '/api/contacts',
  protect({ role: 'admin' }, ({ org }, request) => ({ added: request.body, to: org.name })),
)

await app.listen({ port: Number(process.env.PORT ?? 3000) })
