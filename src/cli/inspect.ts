/** The command `sallyport inspect`: why a token would pass or not, check by check. */

import { describe } from '../explain/explain.ts'
import { reasonTexts } from '../explain/reason-texts.ts'
import { isPending } from '../lib/at-once.ts'
import { toLogText } from '../lib/log-text.ts'
import { type CommandLine, type Options, readArguments, wordsOf, wrongUsage } from './arguments.ts'
import { type Check, EXIT_CODES, printChecks, printParagraph, toJson, type Verdict, verdictOf } from './checks.ts'
import { type GivenCommand, loadConfig, toParts } from './doctor-config.ts'
import { type Examination, type Examiner, examineToken } from './examine-token.ts'
import { readGiven } from './given-token.ts'
import { ISSUER_FLAGS, ISSUER_USAGE, isWrongOption, type NamedIssuers, readIssuers } from './issuer-flags.ts'
import { type Terminal, wrap } from './terminal.ts'
import { describeWhen, type TokenFacts } from './token-facts.ts'

const LINE = {
  name: 'sallyport inspect',
  usage: `Usage: sallyport inspect <token>|- [options]

Say check by check why a token would pass or not. "-" reads it from standard
input, where no list of processes and no history of the shell keeps it. The
token, its signature, secrets and the values of its claims are never printed:
only names, issuers, audiences, algorithms, times, and what names a client or
a class (azp, client_id, token_use, typ, sts).

Without a key nothing is verified, and whatever is shown may be forged.

${ISSUER_USAGE}
  --config <file>       a module that exports issuers (see help doctor)

  --header <text>       a whole Authorization header in place of the token
  --at <instant>        judge as at that time: 2026-11-20T12:00:00Z
  --json                print the result as JSON (docs/command.md)

Exit codes: 0 it passes, 1 it would be refused, 2 wrong usage, 3 could not be
found out (no key was given, a key server does not answer).

  pbpaste | sallyport inspect - --preset supabase --with url=$SUPABASE_URL
  sallyport inspect - --issuer https://id.example.com --audience api < token`,
  options: {
    ...ISSUER_FLAGS,
    config: { type: 'string' },
    header: { type: 'string' },
    at: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
} as const satisfies CommandLine<Options>

/** The usage of the command. */
export const INSPECT_USAGE: string = LINE.usage

/** Run the command; its exit code. */
export async function inspectCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const given = readArguments(LINE, args)
  const { values, positionals } = given
  if (values.help === true) {
    terminal.print(LINE.usage)
    return 0
  }
  const now = readInstant(values.at, terminal)
  const named = asUsage(() => readIssuers(values, terminal))
  const command = { name: LINE.name, words: wordsOf(given) }
  const { issuers, hasKeys } =
    values.config === undefined ? named : await readConfig(command, values.config, named, terminal)
  const isWritten = (values.config ?? values.preset) !== undefined
  const examiner = { issuers, hasKeys, isWritten, fetch: terminal.fetch, now, insecureHosts: values['insecure-host'] }
  const examined = await examine(positionals, values.header, terminal, examiner)
  const verdict = verdictOf(examined.checks)
  if (values.json === true) terminal.print(JSON.stringify(toResult(examined, verdict), null, 2))
  else printResult(examined, verdict, { issuers, hasKeys }, { terminal, now })
  return EXIT_CODES[verdict]
}

async function readConfig(
  command: GivenCommand,
  path: string,
  named: NamedIssuers,
  { folder }: Terminal,
): Promise<NamedIssuers> {
  if (named.issuers.length > 0) throw wrongUsage(LINE, 'a --config names its issuers itself')
  const { issuers } = toParts(await loadConfig(command, path, folder))
  if (issuers.length === 0)
    throw wrongUsage(
      LINE,
      'the config exports no issuers: write `export const issuers = […]` and `createAuth({ issuers, … })`',
    )
  return { issuers, hasKeys: true }
}

function readInstant(at: string | undefined, terminal: Terminal): number {
  if (at === undefined) return terminal.now()
  const instant = Date.parse(at)
  if (Number.isNaN(instant)) throw wrongUsage(LINE, '--at must be an instant: 2026-11-20T12:00:00Z')
  return instant
}

// What the flags say can't be an issuer: the sentence of the library, which quotes no value.
function asUsage<T>(read: () => T): T {
  const wrong = (error: unknown): never => {
    const isOurs = error instanceof Error && (isWrongOption(error) || error.constructor === Error)
    throw isOurs ? wrongUsage(LINE, error.message) : error
  }
  try {
    const result = read()
    return (isPending(result) ? result.catch(wrong) : result) as T
  } catch (error) {
    return wrong(error)
  }
}

// What a route would verify, examined; or why it verifies nothing.
async function examine(
  positionals: readonly string[],
  header: string | undefined,
  terminal: Terminal,
  examiner: Examiner,
): Promise<Examination> {
  const [first, ...more] = positionals
  if (header !== undefined && first !== undefined) throw wrongUsage(LINE, 'give a token or a --header')
  if (more.length > 0) throw wrongUsage(LINE, 'give one token: is there white space in it?')
  const by = header !== undefined ? 'header' : first === '-' ? 'input' : 'argument'
  const text = by === 'input' ? await terminal.readInput() : (header ?? first)
  if (text === undefined) throw wrongUsage(LINE, 'give a token, or "-" for standard input')
  const { token, refusal, notes } = await readGiven(text, by)
  const examined =
    token !== null
      ? await asUsage(() => examineToken(token, examiner))
      : refusal === null
        ? NOT_SENT
        : toExamination(refusal)
  return { ...examined, checks: [...notes, ...examined.checks] }
}

const NOT_SENT: Examination = {
  checks: [
    {
      name: 'header',
      state: 'refused',
      says: 'a line break or another control character in it, which no header can have: Node answers 400 by itself, without a body',
      try: 'client: send the token without it: was it copied over two lines, or read from a file in UTF-16?',
    },
  ],
  refusal: null,
  isVerified: false,
  facts: null,
}

function toExamination(refusal: Examination['refusal'] & object): Examination {
  const { what, next } = describe(refusal, reasonTexts())
  const check: Check = { name: 'header', state: 'refused', says: what, reason: refusal.reason, try: next }
  return { checks: [check], refusal, isVerified: false, facts: null }
}

function toResult({ checks, refusal, isVerified, facts }: Examination, verdict: Verdict): object {
  return {
    ...{ command: 'inspect', verdict, exitCode: EXIT_CODES[verdict], verified: isVerified },
    answer: refusal === null ? null : { status: refusal.status, code: refusal.code, reason: refusal.reason },
    token: facts,
    checks: checks.map(toJson),
  }
}

function printResult(
  { checks, refusal, isVerified, facts }: Examination,
  verdict: Verdict,
  { hasKeys }: NamedIssuers,
  { terminal, now }: { readonly terminal: Terminal; readonly now: number },
): void {
  if (facts !== null) {
    for (const [name, value] of rowsOf(facts, now)) {
      for (const [index, line] of wrap(value, terminal.columns - 15).entries()) {
        terminal.print(`   ${terminal.paint('grey', (index === 0 ? name : '').padEnd(10))}  ${line}`)
      }
    }
    terminal.print('')
  }
  printChecks(checks, terminal)
  terminal.print('')
  const count = checks.filter(({ state }) => state === 'refused').length
  const others = count > 1 ? `, and ${count - 1} more would refuse it` : ''
  if (verdict === 'refused' && refusal !== null) {
    const reason = toLogText(refusal.reason) ?? refusal.code
    printParagraph(`Would be refused: ${refusal.status} ${refusal.code}, ${reason}${others}.`, terminal)
  } else if (verdict === 'refused') printParagraph(`Would be refused, whoever has signed it${others}.`, terminal)
  else if (verdict === 'passes')
    printParagraph('Passes: the token is good. User, organization and role are not asked here.', terminal)
  if (verdict === 'unknown' && hasKeys) printParagraph('Could not be found out: the keys can’t be had now.', terminal)
  if (!hasKeys && facts !== null) {
    const sentence =
      'Looked at, not verified: no key was given, so nothing in this token can be trusted. Name whom to trust by --issuer, --jwks, --secret-env or --preset.'
    printParagraph(sentence, terminal)
  } else if (verdict === 'refused' && !isVerified && facts !== null) {
    printParagraph('Its signature is not verified: what it says may be forged.', terminal)
  }
}

function rowsOf(facts: TokenFacts, now: number): readonly (readonly [name: string, value: string])[] {
  const { algorithm, type, hasKeyId, audience, kind, claims } = facts
  const times = (['issuedAt', 'notBefore', 'expiresAt'] as const).flatMap((name) => {
    const instant = facts[name]
    return instant === null ? [] : [[NAMES[name], describeWhen(instant, now)] as const]
  })
  return [
    ['header', `alg ${algorithm}, typ ${type ?? 'none'}, ${hasKeyId ? 'with' : 'without'} a key id`],
    ['iss', facts.issuer ?? 'none'],
    ['aud', audience.join(', ') || 'none'],
    ...Object.entries(kind),
    ...times,
    ['claims', claims.join(' ')],
  ]
}

const NAMES = { issuedAt: 'iat', notBefore: 'nbf', expiresAt: 'exp' } as const
