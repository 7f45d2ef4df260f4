/** Run one step in a world: fill in what was kept, send, compare, keep. */
import { at, type ExpectedAnswer, faultsOf, parse, toExpectedRefusal } from './expected-answer.ts'
import { send, type WireAnswer } from './send.ts'
import type { DeedStep, Outcome, RequestStep, Step } from './step.ts'
import type { World } from './world.ts'

/** Run a step. Never throws: what goes wrong is the outcome. */
export async function runStep(step: Step, world: World): Promise<Outcome> {
  try {
    return await ('send' in step ? runRequest(step, world) : runDeed(step, world))
  } catch (error) {
    return { asked: 'send' in step ? describe(step) : step.does, expected: 'an answer', got: String(error), ok: false }
  }
}

async function runDeed({ does, shows, act }: DeedStep, world: World): Promise<Outcome> {
  const got = await act(world)
  return { asked: does, expected: shows, got, ok: got === shows }
}

async function runRequest(step: RequestStep, world: World): Promise<Outcome> {
  const fill = (text: string): string => fillIn(text, world.kept)
  const [method = 'GET', path = '/'] = step.send.split(' ')
  const body = step.json === undefined ? step.text : fill(JSON.stringify(step.json))
  const lines: (readonly [string, string])[] = [
    ...(step.as === undefined ? [] : [['Authorization', `Bearer ${await world.token(step.at, step.as)}`] as const]),
    ...(step.json === undefined ? [] : [['Content-Type', 'application/json'] as const]),
    ...(step.lines ?? []).map(([name, value]) => [name, fill(value)] as const),
  ]
  const one = { method, url: world.urlOf(step.at) + fill(path), lines, body }
  const answers = await Promise.all(Array.from({ length: step.times ?? 1 }, () => send(one)))
  const [first] = answers as [WireAnswer, ...WireAnswer[]]
  const faults = [...faultsOf(toExpected(step, first), first, fill), ...differences(step, answers)]
  for (const [name, where] of Object.entries(step.keep ?? {})) {
    const value = String(at(parse(first.text), where))
    world.kept.set(name, value).set(name.toUpperCase(), value.toUpperCase())
  }
  return {
    asked: describe(step),
    expected: expectation(step),
    got: [gist(step, answers), ...faults].join('; '),
    ok: faults.length === 0,
  }
}

/** What a step promises; of the two statuses that `once` allows, the one that came. */
export function toExpected(
  { ok = 200, once, no, problem, body, headers }: RequestStep,
  { status }: WireAnswer,
): ExpectedAnswer {
  if (no !== undefined) return { ...toExpectedRefusal(no), ...(headers && { headers }), ...(problem && { problem }) }
  const type = ok === 204 ? {} : { 'Content-Type': 'application/json; charset=utf-8' }
  const expected = { status: status === once ? once : ok, code: null, challenge: null, body }
  return { ...expected, headers: { ...type, ...headers } }
}

function fillIn(text: string, kept: ReadonlyMap<string, string>): string {
  return text.replace(/\{([\w.]+)\}/g, (whole, name: string) => kept.get(name) ?? whole)
}

function differences({ ok, once }: RequestStep, answers: readonly WireAnswer[]): string[] {
  const texts = new Set(answers.map(({ text }) => text))
  const statuses = answers.map(({ status }) => status)
  const odd = statuses.filter((status) => status === once).length
  return [
    ...(texts.size > 1 ? [`${texts.size} different answers`] : []),
    ...(ok !== undefined && statuses.some((status) => status !== ok && status !== once) ? [statuses.join(' ')] : []),
    ...(once !== undefined && odd !== 1 ? [`${odd} times ${once}`] : []),
  ]
}

function describe({ send: line, as, lines = [], json, text, times }: RequestStep): string {
  const parts = [
    ...(times === undefined ? [] : [`${times} ×`]),
    shorten(line, 200),
    ...(as === undefined ? [] : [`as ${as}`]),
    ...lines.map(([name, value]) => `${name}: ${shorten(value)}`),
    ...(json === undefined
      ? []
      : [
          shorten(
            JSON.stringify(json, (_, value) => shorten(value)),
            200,
          ),
        ]),
    ...(text === undefined ? [] : [text.length > 50 ? `(${text.length} bytes)` : JSON.stringify(text)]),
  ]
  return parts.join('  ').replace(/\{([\w.]+)\}/g, '<$1>')
}

// A body of 16 KB is told by how it begins and how long it is.
function shorten<T>(value: T, longest = 50): T | string {
  if (typeof value !== 'string' || value.length <= longest) return value
  return `${value.slice(0, Math.floor(longest * 0.4))}… (${value.length})`
}

function expectation({ ok, once, no, times = 1 }: RequestStep): string {
  if (no !== undefined) {
    const { status, code, detail } = toExpectedRefusal(no)
    return phrase(status, String(code), detail)
  }
  if (once !== undefined) return `1 × ${once}, ${times - 1} × ${ok}`
  return times === 1 ? String(ok) : `${times} × ${ok}`
}

// What came, in the words of the expectation: the statuses, the code, the field or the bare challenge.
function gist({ times = 1 }: RequestStep, answers: readonly WireAnswer[]): string {
  const [{ status, text, headers }] = answers as [WireAnswer, ...WireAnswer[]]
  const counts = new Map<number, number>()
  for (const answer of answers) counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
  if (times > 1) {
    const rarestFirst = [...counts].sort((a, b) => a[1] - b[1])
    return rarestFirst.map(([each, count]) => `${count} × ${each}`).join(', ')
  }
  const code = at(parse(text), 'error.code')
  const challenge = String(headers['www-authenticate'])
  const hint = challenge === 'Bearer' ? 'absent' : / scope="(.*)"$/.exec(challenge)?.[1]
  return typeof code === 'string' ? phrase(status, code, at(parse(text), 'error.field') ?? hint) : String(status)
}

function phrase(status: number, code: string, detail: unknown): string {
  return `${status} ${code}${detail === undefined ? '' : ` (${detail})`}`
}
