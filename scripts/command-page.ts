// The samples of docs/command.md: each command of a `console` block is run, and what it prints is written below it. `npm run
// pages` writes them in place, and a test compares them.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createTokenIssuer } from '../src/testing/token-issuer.ts'
import { type Setting, sallyport } from '../test/cli/fake-terminal.ts'

const PAGE = fileURLToPath(new URL('../docs/command.md', import.meta.url))
const NOW = Date.parse('2026-11-20T12:00:00Z')

/** The page as it stands. */
export function readCommandPage(): string {
  return readFileSync(PAGE, 'utf8')
}

/** The page with what its commands print. */
export async function withSamples(page: string): Promise<string> {
  const setting = await createSetting()
  let text = ''
  let end = 0
  for (const match of page.matchAll(/^```console\n\$ (.*)\n[\s\S]*?^```$/gm)) {
    const [block, command = ''] = match
    const { out, complaint } = await sallyport(toWords(command), setting)
    text += `${page.slice(end, match.index)}\`\`\`console\n$ ${command}\n${out}${complaint}\`\`\``
    end = match.index + block.length
  }
  return text + page.slice(end)
}

// As a shell: words by spaces, quotes, and nothing of what is redirected.
function toWords(command: string): readonly string[] {
  const [words = ''] = command.split(' < ')
  return [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain).slice(1)
}

// An issuer whose name ends in a slash, a token that has expired, and a server whose clock is right.
async function createSetting(): Promise<Setting> {
  const [issuer, secret] = ['https://acme.eu.auth0.com/', 'a-secret-of-the-samples-of-docs-command-md']
  const tokens = await createTokenIssuer({ issuer, secret, algorithms: ['HS256'], clock: () => NOW })
  const iat = NOW / 1000 - 7200
  const token = await tokens.sign({ aud: 'https://api.example.com/', iat, exp: iat + 3600, email: 'ada@example.com' })
  const keys = await createTokenIssuer({ issuer, algorithms: ['RS256'] })
  const answer: typeof fetch = async (url) => {
    const headers = { date: new Date(NOW).toUTCString() }
    if (String(url).endsWith('/jwks.json')) return Response.json(keys.jwks(), { headers })
    return Response.json({ issuer, jwks_uri: `${issuer}.well-known/jwks.json` }, { headers })
  }
  return { now: NOW, input: token, env: { JWT_SECRET: secret }, fetch: answer }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, await withSamples(readCommandPage()))
