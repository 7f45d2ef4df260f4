/** Starts token issuers that nobody here wrote. What they are made of is installed at the first start. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

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
// Not beside the sources: what reads the tree would read it all.
const place = fileURLToPath(new URL('../../node_modules/.cache/real-issuers/', import.meta.url))

/** Load the program that starts an issuer, after a look whether its packages are here. */
export async function loadIssuer<N extends keyof RealIssuers>(name: N): Promise<RealIssuers[N]> {
  install()
  return (await import(`${place}${name}.mjs`)) as RealIssuers[N]
}

// The lock file says which packages they are; the programs are copied each time.
function install(): void {
  mkdirSync(place, { recursive: true })
  const lock = `${place}package-lock.json`
  const isInstalled =
    existsSync(`${place}node_modules`) &&
    existsSync(lock) &&
    readFileSync(lock, 'utf8') === readFileSync(`${sources}package-lock.json`, 'utf8')
  for (const name of readdirSync(sources)) if (!name.endsWith('.ts')) copyFileSync(sources + name, place + name)
  if (isInstalled) return
  rmSync(`${place}node_modules`, { recursive: true, force: true })
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: place, stdio: 'inherit' })
}
