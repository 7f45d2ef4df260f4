/** Ironflow's YAML file: the one thing in it that this example reads is `spec.auth.jwtSecret`. */
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { type Environment, settingsError } from '../start/settings.ts'

const FAULT = 'IRONFLOW_CONFIG:'

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
  const document = parseDocument(read(path), { schema: 'failsafe', prettyErrors: false })
  const [error] = document.errors
  // The parser's own sentence may quote the file, and with it the secret.
  if (error !== undefined) throw settingsError(`${FAULT} the file is no YAML (${error.code})`)
  return asMapping(document.contents === null ? undefined : document.toJS({ maxAliasCount: 0 }), 'the file')
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
