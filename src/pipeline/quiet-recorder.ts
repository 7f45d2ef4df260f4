/**
 * The recorder of a host that wants no records. Faults leave a line on standard error; where somebody builds a service, each
 * refusal leaves one, too, in the words of `explain()`. Never a value, an address of a database or a secret in a line.
 */
import { isAuthError } from '../errors.ts'
import { type Explainer, loadExplainer, type Noticed } from '../explain/load-explainer.ts'
import { toLogText } from '../lib/log-text.ts'
import { createLinePrinter, describeCause, isDevelopment, type LinePrinter } from '../lib/standard-error.ts'
import { endingOf, type Recorder, SILENT } from './decision-record.ts'

/** Make the recorder; whether somebody builds here is asked now, once. */
export function createQuietRecorder(clock: () => number): Recorder {
  const print = createLinePrinter(clock)
  const isExplained = isDevelopment()
  return {
    ...SILENT,
    threw(error, request) {
      const fault = faultLineOf(error)
      const where = request === undefined ? '' : `${request.method} ${request.path}`
      if (isExplained) explain(error, { fault, where, now: clock() }, print)
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

// A fault as often as in production.
function explain(error: unknown, told: Pick<Noticed, 'fault' | 'where' | 'now'>, print: LinePrinter): void {
  const { fault, where } = told
  const ending = endingOf(error)
  const { reason, expected, got } = ending
  // Who asks without a credential is told that by the answer itself; of another scheme's it says nothing.
  if (reason === 'credential_missing' && (got ?? 'none') === 'none') return
  const values = `${got === null ? '' : `, got ${got}`}${expected === null ? '' : `, expected ${expected}`}`
  const known = `sallyport: refused, ${toLogText(reason)}${values}`
  const plain = fault ?? `${known}${where === '' ? '' : ` (${toLogText(where)})`}; onDecision: explain() says why`
  explainer ??= loadExplainer()
  // Once a second: by what production says of a fault, since each path would make a line of its own; where the words can't be had
  // by the reason, since values are anybody's.
  const printPlain = (): void => print(plain, fault ?? reason)
  void explainer
    .then((lineOf) => {
      if (lineOf === null) return printPlain()
      const line = lineOf({ ...ending, ...told })
      if (line !== null) print(line, fault)
    })
    .catch(printPlain)
}
