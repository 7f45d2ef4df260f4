/** A `protect` for whatever hands you a `Request` and wants a `Response`. */
import { type ContextOf, isAuthError } from 'sallyport'
import { fromFetchRequest, withHeaders } from 'sallyport/adapter'
import { auth } from './auth.ts'

export function protect<const A extends Parameters<typeof auth.authorizer>[0]>(
  access: A,
  handle: (context: ContextOf<typeof auth, A>, request: Request) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  const authorize = auth.authorizer(access) // a wrong Access throws here, at start
  return async (request) => {
    let headersOf = (): Parameters<typeof withHeaders>[1] => [] // none before they are let in
    try {
      const { context, responseHeaders } = await authorize(fromFetchRequest(request))
      headersOf = responseHeaders
      return withHeaders(await handle(context, request), headersOf())
    } catch (error) {
      const refusal = auth.recordRefusal(request, error) // what your handler refuses stands in the record, too
      if (!isAuthError(refusal)) throw refusal
      const { status, headers, body } = auth.toResponse(refusal)
      return withHeaders(new Response(body, { status }), [...headers, ...headersOf()])
    }
  }
}
