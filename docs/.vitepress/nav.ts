/** The pages of docs/ in a reader's order, each of them once: what the site's sidebar, `llms.txt` and the tests read. */

/** A page. */
export interface NavPage {
  /** Its file, without `.md`. */
  readonly page: string
  readonly title: string
  /** The question that it answers, in a line. */
  readonly about: string
}

/** What belongs together. */
export interface NavSection {
  readonly title: string
  readonly pages: readonly NavPage[]
}

const page = (page: string, title: string, about: string): NavPage => ({ page, title, about })

/** All pages. */
export const NAV: readonly NavSection[] = [
  {
    title: 'Start',
    pages: [
      page('quick-start', 'Quick start', 'A protected route, and what its defaults stand for'),
      page('issuers', 'Your identity provider', 'A preset for each provider, in one line'),
      page('issuers-written-out', 'Presets written out', 'What each preset says of its provider, at full length'),
      page('issuers-workloads', 'Workloads', 'Jobs of GitHub Actions and pods of Kubernetes, without a secret'),
      page(
        'issuers-others',
        'Other providers, gateways, customers',
        'A provider without a preset, a header of a gateway, customers with providers of their own, an issuer renamed',
      ),
      page(
        'tokens',
        'Tokens and keys',
        'Which tokens are accepted, by which keys, and what happens when a key server is away',
      ),
      page('your-tables', 'Your tables', 'PostgreSQL, SQLite, migrations, and a cache of memberships'),
      page(
        'users',
        'Users and their organization',
        'Who is made at the first login, and which organization a request acts in',
      ),
      page('routes', 'Routes', 'What a route may ask, many routes, bodies, the order of the checks'),
    ],
  },
  {
    title: 'People',
    pages: [
      page(
        'organizations',
        'Organizations and invitations',
        'Members, invitations and organizations as mounted routes',
      ),
      page('permissions', 'Roles and permissions', 'A ladder or sets, and who may do what'),
      page('local-login', 'Local login', 'E-mail and password for a product that is its own identity provider'),
    ],
  },
  {
    title: 'Other callers',
    pages: [
      page('api-keys', 'API keys', 'Keys of an organization: issue, rotate, revoke'),
      page('machines', 'Machines', 'Client credentials, jobs and workloads, and how to call as one'),
      page('services', 'Services', 'A trusted service with a shared secret'),
    ],
  },
  {
    title: 'Database',
    pages: [
      page(
        'own-tables',
        'Tables of your own',
        'The interfaces over the tables you have, and the suites that prove them',
      ),
      page('query-builders', 'Drizzle, Kysely, Prisma', 'The same inside the transactions of your query builder'),
      page('row-level-security', 'Row-level security', 'The acting organization enforced by PostgreSQL itself'),
    ],
  },
  {
    title: 'When it refuses',
    pages: [
      page(
        'debugging',
        'Debugging a 401, 403, 428 or 503',
        'How to see why a request was refused, and what the client gets',
      ),
      page('reasons', 'Reasons', 'Every reason, what it means and what to try'),
      page(
        'command',
        'The command',
        'What explains a token, asks what a service hangs on, makes keys, runs migrations',
      ),
      page(
        'challenge',
        'Challenges',
        'What WWW-Authenticate says, and how MCP clients find where tokens are to be had',
      ),
    ],
  },
  {
    title: 'Running it',
    pages: [
      page('testing', 'Testing your handlers', 'Signing people in without a network, contexts for handlers alone'),
      page(
        'websockets-sse-browsers',
        'Browsers, WebSockets, SSE',
        'How a browser gets in, CORS, connections that stay open',
      ),
      page(
        'production',
        'In production',
        'Logs, metrics, traces, readiness, proxies, rotation, several instances, shutdown',
      ),
      page('runtimes', 'Runtimes', 'What runs on Node, Bun, Deno and workers, and what differs between the frameworks'),
      page('recipes', 'Other frameworks', 'Fastify, Nest, Next, tRPC, Elysia, plain Fetch, an MCP server'),
      page('performance', 'Performance', 'What a request costs, measured beside the peers'),
      page('examples', 'The examples', 'Three whole systems to start and to read'),
    ],
  },
  {
    title: 'Coming from',
    pages: [
      page('coming-from', 'Coming from another library', 'What you have in hand there, and what it is here'),
      page('coming-from-express-jwt', 'express-jwt', 'The app before, the app after, and what they answer differently'),
      page('coming-from-koa-jwt', 'koa-jwt', 'The app before, the app after, and what they answer differently'),
      page(
        'coming-from-hono-jwk',
        'hono/jwk and hono/jwt',
        'The app before, the app after, and what they answer differently',
      ),
      page(
        'coming-from-express-oauth2-jwt-bearer',
        'express-oauth2-jwt-bearer',
        'The app before, the app after, and what they answer differently',
      ),
      page('coming-from-clerk', 'Clerk', 'The app before, the app after, and what they answer differently'),
      page(
        'coming-from-supabase',
        "Supabase's getUser",
        'The app before, the app after, and what they answer differently',
      ),
      page('coming-from-better-auth', 'Better Auth', 'The app before, the app after, and what they answer differently'),
    ],
  },
  {
    title: 'Looking up',
    pages: [
      page('options', 'Options and entry points', 'Every option of every function, every subpath'),
      page('security-model', 'Security model', 'What holds by itself, and what stays with you'),
      page('how-it-is-built', 'How it is built', 'One pipeline of steps, and where to read on'),
      page('requirements', 'Requirements', 'Each rule, and the test that holds it'),
    ],
  },
]

/** The anchor of a heading, as GitHub makes it: the same on the site. */
export function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
}
