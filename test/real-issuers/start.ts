/** Starts token issuers that nobody here wrote. What they are made of is installed beside them at the first start. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
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

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Load the program that starts an issuer, after a look whether its packages are here. */
export async function loadIssuer<N extends keyof RealIssuers>(name: N): Promise<RealIssuers[N]> {
  install()
  return (await import(`./${name}.mjs`)) as RealIssuers[N]
}

// The lock file beside the packages says which they are.
function install(): void {
  const [wanted, mark] = [readFileSync(`${folder}package-lock.json`, 'utf8'), `${folder}node_modules/.installed`]
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder, stdio: 'inherit' })
  writeFileSync(mark, wanted)
}
