/** The words of a command line, read strictly: an option that there is not is answered with the nearest one that there is. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearestOf } from '../lib/nearest-name.ts'
import { Failure } from './terminal.ts'

/** The options of a command, as Node reads them. */
export type Options = NonNullable<ParseArgsConfig['options']>

type Read<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>
>

/** A command's usage, and its options as `parseArgs` takes them. */
export interface CommandLine<O extends Options> {
  /** What a complaint begins with: `sallyport inspect`. */
  readonly name: string
  readonly usage: string
  readonly options: O
}

/** Read the words after a command's name. What is wrong is a {@link Failure} of exit code 2 that quotes no value. */
export function readArguments<const O extends Options>(line: CommandLine<O>, args: readonly string[]): Read<O> {
  const { options } = line
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true }) as Read<O>
  } catch (error) {
    throw wrongUsage(line, describeWrongWords(error, Object.keys(options)))
  }
}

/** What may hold a secret, and is shown to nobody. */
const UNSHOWN: readonly string[] = ['header', 'database']

/** What was read, as words for a shell; in the place of what may be a secret stands what to put there. */
export function wordsOf({ values, positionals }: Read<Options>): string {
  const tokens = positionals.map((word) => (word === '-' ? word : '<token>'))
  const options = Object.entries(values).flatMap(([name, value]) =>
    [value].flat().map((each) => {
      if (typeof each !== 'string') return `--${name}`
      return `--${name} ${UNSHOWN.includes(name) ? `<${name}>` : quoted(each)}`
    }),
  )
  return [...tokens, ...options].join(' ')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** What ends a command that was used wrongly: a sentence, and where help is. */
export function wrongUsage({ name }: Pick<CommandLine<Options>, 'name'>, sentence: string): Failure {
  return new Failure(`${name}: ${sentence}\n${name} --help says how it is used.`, 2)
}

/** The nearest of these names, as the end of a sentence; empty where none is near. */
export function didYouMean(name: string, names: readonly string[]): string {
  const nearest = nearestOf(name, names)
  return nearest === null ? '' : `; did you mean ${nearest}?`
}

/** Say what is wrong with words that `parseArgs` refuses. Of what Node says only the name of the option: the rest may quote what was given. */
export function describeWrongWords(error: unknown, known: readonly string[]): string {
  const { code, message } = error as { readonly code?: string; readonly message: string }
  const name = /'(--?[\w-]+)/.exec(message)?.[1] ?? ''
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const near = didYouMean(
      name,
      known.map((each) => `--${each}`),
    )
    return `there is no option ${name}${near}`
  }
  return name === '' ? 'an option is used wrongly' : `option ${name} is used wrongly: does it take a value, or none?`
}
