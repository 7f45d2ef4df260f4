/** Ironflow's YAML file: the one thing in it that this example reads is `spec.auth.jwtSecret`. */
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { type Environment, settingsError } from '../start/settings.ts'

const FAULT = 'IRONFLOW_CONFIG:'
const MAX_ALIASES = 100

/** Read the signing secret of the file, `${NAME}` filled from the environment; `undefined` where it names none. */
export function readConfiguredSecret(path: string, environment: Environment): (() => string) | undefined {
  const spec = memberOf(parse(path), 'spec', 'spec')
  const auth = memberOf(spec, 'auth', 'spec.auth')
  const odd = Object.keys(auth ?? {}).find((key) => key !== 'jwtSecret')
  if (odd !== undefined) throw settingsError(`${FAULT} spec.auth.${odd} means nothing; there is jwtSecret`)
  const secret = auth?.['jwtSecret']
  if (secret === undefined) return undefined
  if (typeof secret !== 'string') throw settingsError(`${FAULT} spec.auth.jwtSecret must be a text`)
  return () => fillIn(secret, environment)
}

type Mapping = Readonly<Record<string, unknown>>

// Failsafe: every scalar is a text. A secret of digits must not become a number.
function parse(path: string): Mapping | undefined {
  return asMapping(toValue(read(path)) ?? undefined, 'the file')
}

// The parser's own sentences may quote the file, and with it the secret: only its codes are told.
function toValue(text: string): unknown {
  let fault = 'too deep, or too many aliases, or one of nothing'
  try {
    const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, logLevel: 'silent' })
    const [error] = document.errors
    if (error === undefined) return document.toJS({ maxAliasCount: MAX_ALIASES })
    fault = error.code
  } catch {
    // What the parser throws by itself has no code.
  }
  throw settingsError(`${FAULT} the file is no YAML (${fault})`)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw settingsError(`${FAULT} the file can't be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function memberOf(mapping: Mapping | undefined, name: string, where: string): Mapping | undefined {
  return asMapping(mapping?.[name], where)
}

function asMapping(value: unknown, where: string): Mapping | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw settingsError(`${FAULT} ${where} must be a mapping`)
  }
  return value as Mapping
}

function fillIn(text: string, environment: Environment): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = environment[name]
    if (value === undefined) throw settingsError(`${FAULT} spec.auth.jwtSecret needs ${name}, which is not set`)
    return value
  })
}
