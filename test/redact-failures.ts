/** The report of a failed test names no secret, neither in its message nor in its difference. */
import { formsOf, KEY_OR_TOKEN, knownCanaries } from './search-leavings.ts'

/** Leave every secret out of an error, as Vitest reports it. */
export function redact(error: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(error)) {
    if (typeof value === 'string') error[name] = withoutSecrets(value)
    else if (name === 'cause' && typeof value === 'object' && value !== null) redact(value as typeof error)
  }
}

/** A text with every secret that tests and examples write out, every key and every signed token left out. */
export function withoutSecrets(text: string): string {
  let left = text.replaceAll(KEY_OR_TOKEN, '[a key or token]').replaceAll(/(password: )\S+/g, '$1[a password]')
  for (const form of knownCanaries().flatMap(formsOf)) {
    for (let at = left.toLowerCase().indexOf(form); at >= 0; at = left.toLowerCase().indexOf(form)) {
      left = `${left.slice(0, at)}[a secret]${left.slice(at + form.length)}`
    }
  }
  return left
}
