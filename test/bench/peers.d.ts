/** What is used of the peers, which are installed for a run alone: `tsc` has no types of them. */

declare module 'fast-jwt' {
  export function createVerifier(options: object): (token: string) => { readonly sub: string }
}

declare module 'jsonwebtoken' {
  const jsonwebtoken: { verify(token: string, key: object, options: object): { readonly sub: string } }
  export default jsonwebtoken
}

declare module 'aws-jwt-verify' {
  interface JwtVerifierLike {
    cacheJwks(jwks: object): void
    verify(token: string): Promise<{ readonly sub: string }>
  }
  export const JwtVerifier: { create(options: object): JwtVerifierLike }
}

declare module 'express-jwt' {
  export function expressjwt(options: object): import('express').RequestHandler
}

declare module 'express-oauth2-jwt-bearer' {
  export function auth(options: object): import('express').RequestHandler
}

declare module 'passport' {
  const passport: {
    use(strategy: object): void
    authenticate(name: string, options: object): import('express').RequestHandler
  }
  export default passport
}

declare module 'passport-jwt' {
  export class Strategy {
    constructor(options: object, accept: (claims: object, done: (error: unknown, user: object) => void) => void)
  }
  export const ExtractJwt: { fromAuthHeaderAsBearerToken(): object }
}

declare module 'koa-jwt' {
  export default function jwt(options: object): import('koa').Middleware
}

declare module 'fastify' {
  interface FastifyRequestLike {
    jwtVerify(): Promise<unknown>
  }
  interface FastifyLike {
    register(plugin: unknown, options: object): Promise<void>
    addHook(name: 'onRequest', hook: (request: FastifyRequestLike) => Promise<unknown>): void
    get(path: string, handler: () => Promise<object>): void
    ready(): Promise<void>
    readonly server: import('node:http').Server
  }
  export default function fastify(options?: object): FastifyLike
}

declare module '@fastify/jwt' {
  const plugin: unknown
  export default plugin
}
