/** What the soak and its servers say to each other over their channel. Types only. */
import type { KeyEvent } from '../../src/verify/issuers.ts'
import type { HostName } from '../support/hosts.ts'

/** What a server is made of. */
export interface ServerTask {
  readonly framework: HostName
  readonly databaseUrl: string
  /** What ends statements and waits; the rest of the pool is the same for all. */
  readonly limits: Readonly<Record<string, number>>
  readonly issuers: readonly IssuerTask[]
  readonly serviceSecret: string
  readonly sessionSecret: string
  /** Whether it keeps records of its decisions, by the ids of requests; else nobody listens to them. */
  readonly listens: boolean
}

/** An issuer that it trusts. */
export interface IssuerTask {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
  /** For HS256, beside the keys of the URL. */
  readonly secret: string
}

/** Said by a server. */
export type FromServer =
  | { readonly type: 'ready'; readonly url: string }
  | { readonly type: 'keys'; readonly event: KeyEvent }
  | { readonly type: 'unhandled'; readonly text: string }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }

/** Said to a server: all that was said before has been heard when it answers. */
export interface ToServer {
  readonly id: number
  readonly ask: 'pong' | 'sample' | 'record'
  /** Whose record. */
  readonly requestId?: string | undefined
}
