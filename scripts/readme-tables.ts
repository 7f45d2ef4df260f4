// The tables of the pages that come from the code: `npm run pages` writes them in place, and a test compares them.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AUTH_ERRORS, type AuthErrorCode } from '../src/index.ts'
import { optionTables, presetOptionTable } from './readme-options.ts'

/** The pages that have such tables, but for those of reasons and requirements. */
export const GENERATED: readonly string[] = ['docs/debugging.md', 'docs/options.md', 'docs/issuers.md']

// A code without a sentence does not compile.
const WHEN: Readonly<Record<AuthErrorCode, string>> = {
  unauthorized:
    'no credential, or another scheme than Bearer (challenge `Bearer` alone); a credential that does not verify',
  token_expired: 'everything about the token is good, but it has expired',
  bad_request: 'a repeated credential header, two kinds of credential, no token, white space or a comma in it',
  invalid_org_id: 'the organization selector is empty, repeated or malformed',
  org_selector_conflict: 'two selectors name different organizations',
  org_required: 'no organization named, and the host chose no fallback',
  validation_error: 'a body is malformed or a field is wrong: `field` names it',
  forbidden:
    'not a member, unknown or deleted organization; user disabled; role too low, or without a permission of the route; kind of caller not accepted; cross-site',
  insufficient_scope:
    'the credential does not carry a permission of the route; the challenge names all of them; of a token the message is `The access token lacks the required scope.`',
  not_found: 'no such resource in this organization',
  request_timeout: 'a body that is not whole after 10 s',
  conflict: 'it is there already, or the last owner or admin would go',
  payload_too_large: 'a JSON body over 16 KB',
  unsupported_media_type: 'a body that is not `application/json`',
  user_not_synced: 'a valid token, no user row yet (the path is yours)',
  rate_limit_exceeded: 'throttled; `Retry-After`',
  temporarily_unavailable:
    'the storage cannot be reached, or asks to be tried again, in whatever step asks it; a first login could not be committed after its retries; too many passwords wait to be hashed; `Retry-After`',
  keys_unavailable: 'the key wanted is not cached and its server cannot be asked; `Retry-After`',
}

const PURPOSE: Readonly<Record<string, string>> = {
  '.': 'the steps, `createAuth`, errors, requests and routes',
  './express': 'adapter for Express 5 and 4',
  './koa': 'adapter for Koa 3 and 2',
  './hono': 'adapter for Hono, on Node or as a plain Fetch handler',
  './adapter': 'what an adapter for another framework is written with',
  './storage': 'the interfaces of a storage, its errors',
  './issuers': 'presets of identity providers',
  './api-keys': 'API keys: verify, issue, rotate, revoke, and their routes',
  './people': 'members, invitations and organizations, and their routes; what operators do with users',
  './memory': 'storage in memory',
  './postgres': 'storage on PostgreSQL',
  './sqlite': 'storage on SQLite',
  './machine': 'machine accounts: sign in, renew early',
  './otel': 'decisions for OpenTelemetry: spans, counters',
  './login': 'local e-mail and password login',
  './testing': 'token issuer, key server, test kit, contract suites, adapter audit',
}

/** The error table, from `AUTH_ERRORS`. */
export function errorTable(): string {
  const rows = Object.entries(AUTH_ERRORS).map(([code, { status, message, challenge }]) => {
    const header = challenge === null ? '–' : `\`${challenge}\``
    return `| \`${code}\` | ${status} | ${WHEN[code as AuthErrorCode]} | ${message} | ${header} |`
  })
  return ['| code | status | when | message | `WWW-Authenticate` |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  )
}

/** The entry points with the values each exports, from `package.json` and the source. */
export async function entryPointTable(): Promise<string> {
  const { exports } = JSON.parse(read('../package.json')) as { exports: Record<string, unknown> }
  const { paths } = (JSON.parse(read('../tsconfig.json')) as Config).compilerOptions
  const rows: string[] = []
  for (const subpath of Object.keys(exports).filter((name) => name !== './package.json')) {
    const name = `sallyport${subpath.slice(1)}`
    const exported = (await import(new URL(`../${paths[name]?.[0]}`, import.meta.url).href)) as object
    const values = Object.keys(exported).sort()
    rows.push(`| \`${name}\` | ${PURPOSE[subpath] ?? ''} | ${values.map((value) => `\`${value}\``).join(' ')} |`)
  }
  return ['| import | for | values (types beside them) |', '| --- | --- | --- |', ...rows].join('\n')
}

interface Config {
  readonly compilerOptions: { readonly paths: Readonly<Record<string, readonly [string]>> }
}

/** A page with its generated parts as the code has them now. */
export async function withTables(page: string): Promise<string> {
  const parts = {
    'error-table': errorTable(),
    options: optionTables(),
    'preset-options': presetOptionTable(),
    'entry-points': await entryPointTable(),
  }
  return Object.entries(parts).reduce(
    (text, [name, table]) =>
      text.replace(
        new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`),
        () => `<!-- ${name} -->\n${table}\n<!-- /${name} -->`,
      ),
    page,
  )
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of GENERATED) {
    const page = fileURLToPath(new URL(`../${path}`, import.meta.url))
    writeFileSync(page, await withTables(readFileSync(page, 'utf8')))
  }
}
