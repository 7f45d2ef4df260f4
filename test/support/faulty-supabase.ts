/** The Supabase-shaped issuer of the testing kit, failing in every way. */
import {
  createSupabaseProject,
  type SupabaseEndpoint,
  type SupabaseIssuer,
  type SupabaseIssuerOptions,
} from '../../src/testing/supabase-issuer.ts'
import { startFaultyServer } from './faulty-server.ts'
import type { HttpFault } from './http-faults.ts'

/** An issuer that fails on demand. */
export interface FaultySupabase extends Omit<SupabaseIssuer, 'ok' | 'down' | 'slow' | 'requests'> {
  /** How often each endpoint was asked; faulty answers count, refused connections do not. */
  readonly requests: Readonly<Record<SupabaseEndpoint, number>>
  /** Switch the fault, of one endpoint or of all; `refused` takes the server away. */
  fault(mode: 'ok' | 'refused' | HttpFault, only?: SupabaseEndpoint): Promise<void>
}

/** Start an issuer with faults. */
export async function startFaultySupabase(options: SupabaseIssuerOptions = {}): Promise<FaultySupabase> {
  const server = await startFaultyServer((url) => createSupabaseProject(url, options))
  const { endpointOf: _, answer: __, ...project } = server.endpoints
  return Object.freeze({
    ...project,
    url: server.url,
    port: server.port,
    get requests() {
      return { password: server.count('password'), refresh: server.count('refresh'), jwks: server.count('jwks') }
    },
    fault: server.fault,
    close: server.close,
  })
}
