/** Starts token issuers that nobody here wrote. What they are made of is installed at the first start. */
import { copyFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installPeers } from '../install-peers.ts'

/** A running issuer. */
export interface RealIssuer {
  readonly issuer: string
  stop(): Promise<void>
}

/** The issuers by the name of their file: what each is started with, and what it can do. */
export interface RealIssuers {
  'better-auth': {
    startBetterAuth(keys: object): Promise<RealIssuer & { signUp(email: string): Promise<string> }>
  }
  openauth: { startOpenAuth(): Promise<RealIssuer & { signIn(email: string): Promise<string> }> }
  'cognito-local': {
    startCognitoLocal(): Promise<
      RealIssuer & { clientId: string; signIn(email: string): Promise<{ accessToken: string; idToken: string }> }
    >
  }
  'oauth2-mock-server': {
    startMockServer(
      algorithm: string,
      claims: object,
    ): Promise<RealIssuer & { grant(form: Record<string, string>): Promise<string> }>
  }
  'oidc-provider': {
    startOidcProvider(algorithms: readonly string[]): Promise<
      RealIssuer & {
        readonly audience: string
        rotate(): Promise<void>
        signIn(login: string, scope: string, algorithm: string): Promise<string>
        grantWorker(scope: string, algorithm: string): Promise<string>
      }
    >
  }
}

const sources = fileURLToPath(new URL('.', import.meta.url))
const place = fileURLToPath(new URL('../../node_modules/.cache/real-issuers/', import.meta.url))

/** Load the program that starts an issuer, after a look whether its packages are here. */
export async function loadIssuer<N extends keyof RealIssuers>(name: N): Promise<RealIssuers[N]> {
  install()
  return (await import(`${place}${name}.mjs`)) as RealIssuers[N]
}

// The programs are copied each time.
function install(): void {
  installPeers(sources, place)
  for (const name of readdirSync(sources)) if (name.endsWith('.mjs')) copyFileSync(sources + name, place + name)
}
