/** The refusals of the strict body reader, and of bodies that break off. */

import { EventEmitter } from 'node:events'
import * as z from 'zod/mini'
import { fromFetchRequest } from '../../../src/http/fetch-request.ts'
import { fromNodeRequest, type NodeRequest } from '../../../src/http/node-request.ts'
import { readJson } from '../../../src/http/read-json.ts'
import { fakeRequest } from '../fake-request.ts'
import type { Refusal } from './refusal.ts'

const bytes = (text: string): { kind: 'bytes'; bytes: Uint8Array } => ({
  kind: 'bytes',
  bytes: new TextEncoder().encode(text),
})

const post = (type: string, text: string) =>
  fakeRequest({ method: 'POST', headers: { 'content-type': type }, body: bytes(text) })

export const REFUSALS_OF_BODIES: readonly Refusal[] = [
  {
    reason: 'body_not_json',
    code: 'unsupported_media_type',
    provoke: () => readJson(post('text/plain', '{}')),
  },
  {
    reason: 'body_encoded',
    code: 'unsupported_media_type',
    provoke: () => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      return readJson(fromFetchRequest(new Request('https://here.test/', { method: 'POST', body: '{}', headers })))
    },
  },
  {
    reason: 'body_too_large',
    code: 'payload_too_large',
    provoke: () => {
      const value = { name: 'x'.repeat(16_384) }
      const headers = { 'content-type': 'application/json' }
      return readJson(fakeRequest({ method: 'POST', headers, body: { kind: 'parsed', value } }))
    },
  },
  {
    reason: 'body_late',
    code: 'request_timeout',
    provoke: () => {
      const rawHeaders = ['Content-Type', 'application/json', 'Content-Length', '2']
      const message: NodeRequest = Object.assign(new EventEmitter(), { method: 'POST', rawHeaders })
      return readJson(fromNodeRequest(message), undefined, { timeoutSeconds: 0.001 })
    },
  },
  {
    reason: 'body_not_an_object',
    code: 'validation_error',
    wire: { field: 'body' },
    provoke: () => readJson(post('application/json', '[]')),
  },
  {
    reason: 'field_invalid',
    code: 'validation_error',
    wire: { field: 'name' },
    provoke: async () => readJson(post('application/json', '{"name":1}'), z.object({ name: z.string() })),
  },
  {
    reason: 'body_aborted',
    code: 'validation_error',
    wire: { field: 'body' },
    provoke: () => {
      const rawHeaders = ['Content-Type', 'application/json', 'Content-Length', '2']
      const message: NodeRequest = Object.assign(new EventEmitter(), { method: 'POST', rawHeaders, destroyed: true })
      return readJson(fromNodeRequest(message))
    },
  },
  {
    reason: 'body_lost',
    code: 'validation_error',
    wire: { field: 'body' },
    provoke: () => {
      const body = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) })
      const headers = { 'content-type': 'application/json' }
      const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit
      return readJson(fromFetchRequest(new Request('https://here.test/', init)))
    },
  },
]
