import { describe, expect, it } from 'vitest'
import type { OrgSelection } from '../../src/context.ts'
import { header, integerFormat, pathParam, readSelection, slugFormat, uuidFormat } from '../../src/orgs/selector.ts'
import type { OrgSelector } from '../../src/request.ts'
import { type FakeRequestOptions, fakeRequest } from '../pipeline/fake-request.ts'

const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
const OTHER = '00000000-0000-4000-8000-000000000000'
const BOTH: readonly OrgSelector[] = [header('X-Org-Id'), pathParam('org')]
const HEADER: readonly OrgSelector[] = [header('X-Org-Id')]

const named: OrgSelection = { kind: 'named', orgId: ID }
const malformed: OrgSelection = { kind: 'malformed' }

// [what, selectors, request, selection]
const CASES: readonly (readonly [string, readonly OrgSelector[], FakeRequestOptions, OrgSelection])[] = [
  ['no selectors', [], { headers: { 'x-org-id': ID } }, { kind: 'unnamed' }],
  ['no header', HEADER, {}, { kind: 'unnamed' }],
  ['a header', HEADER, { headers: { 'x-org-id': ID } }, named],
  ['upper case: one canonical form', HEADER, { headers: { 'x-org-id': ID.toUpperCase() } }, named],
  ['an empty header', HEADER, { headers: { 'x-org-id': '' } }, malformed],
  ['the header twice, identical', HEADER, { headers: { 'x-org-id': [ID, ID] } }, malformed],
  ['the header twice, different', HEADER, { headers: { 'x-org-id': [ID, OTHER] } }, malformed],
  ['two ids joined by a comma', HEADER, { headers: { 'x-org-id': `${ID}, ${ID}` } }, malformed],
  ['header and path agree', BOTH, { headers: { 'x-org-id': ID.toUpperCase() }, params: { org: ID } }, named],
  ['header and path differ', BOTH, { headers: { 'x-org-id': ID }, params: { org: OTHER } }, { kind: 'conflict' }],
  ['only the path names', BOTH, { params: { org: ID } }, named],
  ['a malformed path beside a good header', BOTH, { headers: { 'x-org-id': ID }, params: { org: 'x' } }, malformed],
  ['a malformed header beside a good path', BOTH, { headers: { 'x-org-id': 'x' }, params: { org: ID } }, malformed],
  ['an empty path parameter', BOTH, { params: { org: '' } }, malformed],
]

describe('readSelection', () => {
  it.each(CASES)('%s', (_what, selectors, request, selection) => {
    expect(readSelection(fakeRequest(request), selectors, uuidFormat)).toEqual(selection)
  })

  it.each([null, {}, { other: ID }, { org: undefined }])('is our fault where the parameter is absent: %j', (params) => {
    const read = (): unknown => readSelection(fakeRequest({ params }), [pathParam('org')], uuidFormat)
    expect(read).toThrow('no path parameter "org"')
  })

  it('finds no parameter on a prototype (V1)', () => {
    const params = Object.create({ org: ID }) as Record<string, string>
    expect(() => readSelection(fakeRequest({ params }), [pathParam('org')], uuidFormat)).toThrow('no path parameter')
    expect(() => readSelection(fakeRequest({ params: {} }), [pathParam('constructor')], uuidFormat)).toThrow()
  })
})

describe('formats', () => {
  it.each([
    [ID, ID],
    [ID.toUpperCase(), ID],
    ['00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000'],
  ])('uuid takes %s', (text, id) => {
    expect(uuidFormat(text)).toBe(id)
  })

  it.each([
    `{${ID}}`,
    `urn:uuid:${ID}`,
    ID.replaceAll('-', ''),
    ` ${ID}`,
    `${ID} `,
    `${ID}\n`,
    `${ID}\0`,
    `${ID}%00`,
    ID.slice(1),
    `${ID}0`,
    ID.replace('6f', 'ｆ6'),
    ID.replace('f', 'g'),
    `${ID}${ID}`,
    "' or 1=1 --",
    'x'.repeat(10_000),
    '',
  ])('uuid refuses %j', (text) => {
    expect(uuidFormat(text)).toBeNull()
  })

  it.each(['1', '42', '9999999999999999999'])('integer takes %s', (text) => {
    expect(integerFormat(text)).toBe(text)
  })

  it.each(['0', '01', '-1', '+1', '1.0', '1e3', '0x1', ' 1', '1\n', '10000000000000000000', '١', ''])(
    'integer refuses %j',
    (text) => {
      expect(integerFormat(text)).toBeNull()
    },
  )

  it.each(['env_default', 'A-b_9', 'x'.repeat(64), '__proto__'])('slug takes %s', (text) => {
    expect(slugFormat(text)).toBe(text)
  })

  it.each(['', 'a b', 'a.b', 'a/b', 'ä', 'a\n', 'x'.repeat(65), 'a,b', '%61'])('slug refuses %j', (text) => {
    expect(slugFormat(text)).toBeNull()
  })
})
