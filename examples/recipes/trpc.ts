import { initTRPC, TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { isAuthError } from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import { auth } from './auth.ts'

// What tRPC calls the statuses of refusals.
const CODES = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  408: 'TIMEOUT',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  428: 'PRECONDITION_REQUIRED',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVICE_UNAVAILABLE',
} as const

const t = initTRPC.context<{ req: Request; resHeaders: Headers }>().create({
  errorFormatter: ({ shape, error: { cause } }) =>
    isAuthError(cause) ? { ...shape, data: { ...shape.data, auth: cause.code } } : shape,
})

/** A procedure that asks who calls. */
export function allow<const A extends Parameters<typeof auth.authorizer>[0]>(access: A) {
  const authorize = auth.authorizer(access) // a wrong Access throws here, at start
  return t.procedure.use(async ({ ctx: { req, resHeaders }, next }) => {
    try {
      const { context, responseHeaders } = await authorize(fromFetchRequest(req))
      for (const [name, value] of responseHeaders()) resHeaders.set(name, value)
      const result = await next({ ctx: { caller: context } })
      // What a procedure has thrown comes as a result, with the error as its cause.
      if (!result.ok && result.error.code === 'INTERNAL_SERVER_ERROR') throw result.error.cause ?? result.error
      return result
    } catch (thrown) {
      const error = auth.recordRefusal(req, thrown)
      if (!isAuthError(error)) throw error
      // The challenge, `Cache-Control`, `Retry-After`.
      for (const [name, value] of Object.entries(error.headers)) resHeaders.set(name, value)
      const code = CODES[error.status as keyof typeof CODES] ?? 'INTERNAL_SERVER_ERROR'
      throw new TRPCError({ code, message: error.message, cause: error })
    }
  })
}

export const router = t.router({
  me: allow({}).query(({ ctx: { caller } }) => ({ user: caller.user.email, org: caller.org.name, role: caller.role })),
  rename: allow({ role: 'owner' }).mutation(({ ctx: { caller } }) => ({ renamed: caller.org.id })),
  hello: t.procedure.query(() => 'hello'),
})

export const handler = (req: Request): Promise<Response> =>
  fetchRequestHandler({ endpoint: '/trpc', req, router, createContext: ({ req, resHeaders }) => ({ req, resHeaders }) })
