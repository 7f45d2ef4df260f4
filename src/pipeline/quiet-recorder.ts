/**
 * The recorder of a host that wants no records. Faults leave a line on standard error; where somebody builds a service, each
 * refusal leaves one, too, in the words of `explain()`. Never a value, an address of a database or a secret in a line.
 */
import { isAuthError } from '../errors.ts'
import { type Explainer, loadExplainer } from '../explain/load-explainer.ts'
import { toLogText } from '../lib/log-text.ts'
import {
  createLinePrinter,
  describeCause,
  isDevelopment,
  isNewlySaid,
  type LinePrinter,
} from '../lib/standard-error.ts'
import { endingOf, type Recorder, SILENT } from './decision-record.ts'

/** Make the recorder; whether somebody builds here is asked now, once. */
export function createQuietRecorder(clock: () => number): Recorder {
  const print = createLinePrinter(clock)
  const isExplained = isDevelopment()
  return {
    ...SILENT,
    threw(error, request) {
      const fault = faultLineOf(error)
      if (isExplained) explain(error, fault, request === undefined ? '' : `${request.method} ${request.path}`, print)
      else if (fault !== null) print(fault)
    },
  }
}

// What production says, too; `null`: a refusal.
function faultLineOf(error: unknown): string | null {
  if (!isAuthError(error)) return `sallyport: answered 500: ${describeCause(error)}; onDecision is told the cause`
  const { code, got, cause } = error
  const isOfKeys = code === 'keys_unavailable'
  // A full queue has no cause, and is no fault.
  if (!isOfKeys && (code !== 'temporarily_unavailable' || cause === undefined)) return null
  const answered = `sallyport: answered 503, ${toLogText(error.reason) ?? code}`
  if (isOfKeys) return `${answered}${got === null ? '' : `: ${got}`}; onDecision gets it`
  return `${answered}: ${describeCause(cause)}; onDecision is told the cause`
}

let explainer: Promise<Explainer | null> | undefined

// Each refusal once, by what was wanted and what came; a fault as often as in production.
function explain(error: unknown, fault: string | null, where: string, print: LinePrinter): void {
  const ending = endingOf(error)
  const { reason, expected, got } = ending
  // Who asks without a credential is told that by the answer itself; of another scheme's it says nothing.
  if (reason === 'credential_missing' && (got ?? 'none') === 'none') return
  const values = `${got === null ? '' : `, got ${got}`}${expected === null ? '' : `, expected ${expected}`}`
  const known = `sallyport: refused, ${toLogText(reason)}${values}`
  // Of a time that has passed each differs by the time of day.
  if (fault === null && !isNewlySaid(known.replace(/[\d-]+T[\d:.]+Z/g, ''))) return
  const plain = fault ?? `${known}${where === '' ? '' : ` (${toLogText(where)})`}; onDecision: explain() says why`
  explainer ??= loadExplainer()
  void explainer
    .then((lineOf) => lineOf?.({ ...ending, where }) ?? plain)
    .catch(() => plain)
    // Once a second by what production says of it, too: each path would make a line of its own.
    .then((line) => print(line, fault))
}
