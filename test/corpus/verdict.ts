/** What a case of the corpus leaves open, filled in; how an answer departs from its label, and what all frameworks share. */
import { faultsOf } from '../../examples/demo/expected-answer.ts'
import type { WireAnswer } from '../../examples/demo/send.ts'
import type { RawAnswer } from '../support/raw-http.ts'
import type { CorpusCase } from './case-format.ts'
import type { World } from './world.ts'

/** Fill in the placeholders of a text: ids of the world, `{{ORG.name}}` in upper case, `{{n x text}}`, and `more`. */
export function fill(
  text: string,
  { ids }: World,
  more: (name: string) => string | undefined = () => undefined,
): string {
  return text.replace(/\{\{([^{}]+)\}\}/g, (whole, name: string) => {
    const [, times, unit] = /^(\d+) x (.+)$/s.exec(name) ?? []
    if (times !== undefined && unit !== undefined) return unit.repeat(Number(times))
    const upper = name.startsWith('ORG.') ? ids.get(`org.${name.slice(4)}`)?.toUpperCase() : undefined
    const value = upper ?? ids.get(name) ?? more(name)
    if (value === undefined) throw new Error(`nothing stands for ${whole}`)
    return value
  })
}

/** Say how an answer departs from its label, or `null`. */
export function compare(label: CorpusCase, answer: RawAnswer, world: World): string | null {
  const { status, body } = answer
  if (label.layer === 'router') return label.anyOf?.includes(status) ? null : `one of ${label.anyOf}, got ${status}`
  if (label.layer === 'http') return status === label.status && body === '' ? null : `got ${status} ${body}`
  const problem = label.request[0]?.includes(' /problem/') === true
  const faults = faultsOf({ ...label, problem }, toWireAnswer(answer), (text) => fill(text, world))
  return faults.length === 0 ? null : `expected ${label.status} ${label.code ?? ''}, got ${faults.join('; ')}`
}

function toWireAnswer({ status, headers, body }: RawAnswer): WireAnswer {
  const values = (name: string): string[] => headers.flatMap(([each, value]) => (each === name ? [value] : []))
  return { status, headers: Object.fromEntries(headers.map(([name]) => [name, values(name)])), text: body }
}

// What the connection says of itself, and the time.
const OF_THE_SERVER = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])

/** What must be equal on all frameworks. Ids are random per server: known ones get their names back, others one word. */
export function normalize(answer: RawAnswer, { ids }: World): string {
  const headers = answer.headers.filter(([name]) => !OF_THE_SERVER.has(name)).map((line) => line.join(': '))
  headers.sort()
  const known = [...ids].reduce(
    (text, [name, id]) => text.replaceAll(id, name),
    JSON.stringify([answer.status, headers, answer.body]),
  )
  return known.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
}
