/**
 * How every example reads its variables: strictly. A variable that is set must be right, an empty one is wrong, and what
 * is wrong is one sentence that names it. Hands on values; the process ends in `run.ts`.
 */
import { OptionsError } from 'sallyport'

/** The environment an app is started with. */
export interface Environment extends Readonly<Record<string, string | undefined>> {
  readonly NODE_ENV?: string
}

/** The variables of one app. */
export interface Settings {
  /** A text, or `undefined` where the variable is not set. */
  text(name: string): string | undefined
  /** A text that has to be there. */
  required(name: string): string
  /** One of these words. */
  choice<const C extends string, const F extends C | undefined>(name: string, choices: readonly C[], fallback: F): C | F
  /** A whole number from `min` to `max`. */
  whole<const F extends number | undefined>(name: string, min: number, max: number, fallback: F): number | F
  /** Refuse variables that would be ignored. */
  refuse(names: readonly string[], why: string): void
  /** Run set-up code; what the library says of an option is said of the variable that filled it. */
  judge<T>(variables: Readonly<Record<string, string>>, setUp: () => T): T
}

/** Say that the app can't start, and why. */
export function settingsError(message: string): Error {
  return Object.assign(new Error(message), { name: 'SettingsError' })
}

/** Whether an error is a sentence for the person who starts the app, rather than a fault of the app. */
export function isSettingsError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'SettingsError'
}

// What `echo`, files of other systems and env files leave at the edges of a value.
const EDGES = /^\s|\s$|^(["']).*\1$/s

/** Read the variables of an environment. */
export function readSettings(environment: Environment): Settings {
  const text = (name: string): string | undefined => {
    const value = environment[name]
    if (value !== undefined && value.trim() === '') throw settingsError(`${name} is set, but empty`)
    if (value !== undefined && EDGES.test(value)) throw settingsError(`${name} has white space or quotes around it`)
    return value
  }
  return {
    text,
    required(name) {
      const value = text(name)
      if (value === undefined) throw settingsError(`${name} is required`)
      return value
    },
    choice(name, choices, fallback) {
      const value = text(name)
      if (value === undefined) return fallback
      const chosen = choices.find((choice) => choice === value)
      if (chosen === undefined) throw settingsError(`${name} must be ${choices.join(' or ')}`)
      return chosen
    },
    whole(name, min, max, fallback) {
      const value = text(name)
      if (value === undefined) return fallback
      const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
      if (!(number >= min && number <= max)) {
        throw settingsError(`${name} must be a whole number from ${min} to ${max}`)
      }
      return number
    },
    refuse(names, why) {
      for (const name of names) if (environment[name] !== undefined) throw settingsError(`${name}: ${why}`)
    },
    judge(variables, setUp) {
      try {
        return setUp()
      } catch (error) {
        if (error instanceof OptionsError) throw settingsError(inVariables(error, variables))
        throw error
      }
    },
  }
}

// An option is a path, such as `services.crm.secrets.0`: the last name in it is the one that a variable fills. What is said
// of it may name another option.
function inVariables({ problems }: OptionsError, variables: Readonly<Record<string, string>>): string {
  return problems
    .map(({ option, message }) => {
      const name = option.split('.').findLast((part) => variables[part] !== undefined)
      const text = message.replace(/option "(\w+)"/g, (other, part) => variables[part] ?? other)
      return `${name === undefined ? option : variables[name]} ${text}`
    })
    .join('; ')
}
