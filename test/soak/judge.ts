/** Compares answers with what is right, once all is known that was said until then; counts, and keeps the first wrong ones. */
import { type Answer, type Ask, isRight, type Right, rightAnswers } from './oracle.ts'
import type { Wrong } from './report.ts'
import type { ServerProcess } from './server-process.ts'

interface Waiting {
  readonly ask: Ask
  /** `null`: none came. */
  readonly answer: Answer | null
  readonly requestId: string
}

/** What compares. */
export interface Judge {
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly wrong: readonly Wrong[]
  readonly counts: { wrong: number; undeclared: number }
  /** Count an answer, and compare it later. */
  take(ask: Ask, answer: Answer | null, requestId: string): void
  /** Count an answer that somebody else compares; `right` is what it should have been, `null` where it was. */
  tell(kind: string, server: string, answer: Answer | null, right: string | null): void
  /** Something other than one answer is wrong. */
  fault(kind: string, server: string, got: string, right: string): void
  /** Compare all that was answered so far. */
  compare(servers: readonly ServerProcess[]): Promise<void>
}

const KEPT_OF_A_KIND = 5

export function createJudge(startedAt: number): Judge {
  const answers = new Map<string, Map<string, number>>()
  const wrong: Wrong[] = []
  const counts = { wrong: 0, undeclared: 0 }
  let waiting: Waiting[] = []
  const count = (kind: string, answer: Answer | null): void => {
    const statuses = answers.get(kind) ?? new Map<string, number>()
    const status = answer === null ? 'none' : String(answer.status)
    answers.set(kind, statuses.set(status, (statuses.get(status) ?? 0) + 1))
  }
  const isKept = (kind: string): boolean => wrong.filter((each) => each.kind === kind).length < KEPT_OF_A_KIND
  const keep = (found: Omit<Wrong, 'at'>, answer: Answer | null, answeredAt = Date.now()): void => {
    counts.wrong += 1
    if (answer !== null && answer.status >= 500) counts.undeclared += 1
    if (isKept(found.kind)) wrong.push({ ...found, at: (answeredAt - startedAt) / 1000 })
  }
  const fault: Judge['fault'] = (kind, server, got, right) => keep({ kind, server, got, right }, null)
  return {
    answers,
    wrong,
    counts,
    fault,
    take(ask, answer, requestId) {
      count(ask.kind, answer)
      waiting.push({ ask, answer, requestId })
    },
    tell(kind, server, answer, right) {
      count(kind, answer)
      if (right !== null) keep({ kind, server, got: describeAnswer(answer), right }, answer)
    },
    async compare(servers) {
      const some = waiting
      waiting = []
      // Until they answer, something they have learnt before may still be on its way here.
      await Promise.all(servers.map((server) => server.settled()))
      for (const { ask, answer, requestId } of some) {
        const right = rightAnswers(ask)
        if (answer !== null && right.some((each) => isRight(answer, each))) continue
        const server = servers.find(({ facts }) => facts === ask.server)
        const record = isKept(ask.kind) ? await server?.record(requestId) : null
        const reason = typeof record === 'object' && record !== null ? JSON.stringify(record) : undefined
        const told = { kind: ask.kind, server: ask.server.name, reason }
        keep({ ...told, got: describeAnswer(answer), right: right.map(describeRight).join(' or ') }, answer, ask.until)
      }
    },
  }
}

/** An answer in a line, without what is secret in it. */
export function describeAnswer(answer: Answer | null): string {
  if (answer === null) return 'no answer'
  const { status, headers, body } = answer
  const lines = ['x-org-id', 'www-authenticate', 'retry-after'].filter((name) => headers[name] !== undefined)
  return `${status} ${lines.map((name) => `${name}: ${headers[name]}; `).join('')}${body.slice(0, 300).replace(/(eyJ|soak_)[\w.-]+/g, '$1…')}`
}

function describeRight(right: Right): string {
  return JSON.stringify(right)
}
