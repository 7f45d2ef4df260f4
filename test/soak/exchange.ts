/** Requests whose answers are compared where they are sent: what a sequence of them depends on is known there alone. */
import type { Sent } from './client.ts'
import { type Answer, isRight, type StorageState } from './oracle.ts'
import type { ServerProcess } from './server-process.ts'
import type { World } from './world.ts'

/** An answer, and whether it says that the storage failed, which it may say just now. */
export interface Exchange {
  readonly answer: Answer | null
  readonly isFailure: boolean
}

/** A request with a JSON body, if it has one. */
export function jsonRequest(line: string, token: string | null, value?: unknown): Sent {
  const [method = '', path = ''] = line.split(' ')
  const headers: (readonly [string, string])[] = token === null ? [] : [['authorization', `Bearer ${token}`]]
  if (value === undefined) return { method, path, headers }
  return { method, path, headers: [...headers, ['content-type', 'application/json']], body: JSON.stringify(value) }
}

/** Send a request; `isAnswer` says whether an answer is right, where the storage does not fail. */
export async function exchange(
  { client, judge, storage }: Pick<World, 'client' | 'judge' | 'storage'>,
  server: ServerProcess,
  { kind, sent, right }: { readonly kind: string; readonly sent: Sent; readonly right: string },
  isAnswer: (answer: Answer) => boolean,
): Promise<Exchange> {
  const from = Date.now()
  const answer = await client.send(server.url, sent)
  const states = storage.between(from, Date.now())
  const isFailure = answer !== null && mayFail(answer, states)
  const isGood = isFailure || (answer !== null && states.some((state) => state !== 'away') && isAnswer(answer))
  judge.tell(kind, server.facts.name, answer, isGood ? null : `${right}; storage ${states.join(' or ')}`)
  return { answer, isFailure }
}

function mayFail(answer: Answer, states: readonly StorageState[]): boolean {
  if (states.every((state) => state === 'there')) return false
  // What fails after the caller has passed names the organization that they act in.
  const anywhere = { ...answer, headers: { ...answer.headers, 'x-org-id': undefined } }
  return isRight(anywhere, { kind: 'refused', code: 'temporarily_unavailable' })
}
