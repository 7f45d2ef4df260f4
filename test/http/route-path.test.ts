import { describe, expect, it } from 'vitest'
import { createRouteFinder } from '../../src/http/route-path.ts'

const find = createRouteFinder([
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/orgs/:id/members' },
  { method: 'POST', path: '/orgs/:id/members' },
  { method: 'GET', path: '/orgs/special/members' },
  { method: 'GET', path: '/:a/:b/:c/:d' },
])
const paramsOf = (method: string, path: string): unknown => find(method, path)?.params ?? null

describe('createRouteFinder', () => {
  it.each([
    ['GET', '/', {}],
    ['HEAD', '/', {}],
    ['GET', '/orgs/7/members', { id: '7' }],
    ['HEAD', '/orgs/7/members', { id: '7' }],
    ['POST', '/orgs/7/members', { id: '7' }],
    ['GET', '/orgs/a%20b/members', { id: 'a b' }],
    ['GET', '/orgs/a%2Fb/members', { id: 'a/b' }],
    ['GET', '/orgs/%25/members', { id: '%' }],
    ['GET', '/orgs/.../members', { id: '...' }],
    ['GET', '/orgs/.a/members', { id: '.a' }],
    ['GET', '/w/x/y/z', { a: 'w', b: 'x', c: 'y', d: 'z' }],
    ['GET', '/?a=/b', {}],
    ['GET', '/orgs/7/members?%', { id: '7' }],
    ['GET', '/orgs/7/members#x', { id: '7' }],
    ['GET', 'http://x', {}],
    ['GET', 'http://x?a', {}],
    ['GET', 'HTTPS://x:8443/orgs/7/members?a', { id: '7' }],
  ])('%s %s', (method, path, params) => expect(paramsOf(method, path)).toEqual(params))

  it.each([
    ['POST', '/'],
    ['DELETE', '/orgs/7/members'],
    ['get', '/'],
    ['GET', ''],
    ['GET', '*'],
    ['GET', '//'],
    ['GET', '?'],
    ['GET', 'http://'],
    ['GET', 'http://['],
    ['GET', 'http://[/orgs/7/members'],
    ['GET', 'http:/orgs/7/members'],
    ['GET', '//x/orgs/7/members'],
    ['GET', '/orgs//members'],
    ['GET', '/orgs/7/Members'],
    ['GET', '/orgs/7/members/'],
    ['GET', '/orgs/7'],
    ['GET', '/orgs/%/members'],
    ['GET', '/orgs/%E4%/members'],
    ['GET', '/%6frgs/7/members'],
    ['GET', '/w/x/y/'],
    ['GET', '/orgs/../members'],
    ['GET', '/orgs/%2E./members'],
    ['GET', '/orgs/%2e/members'],
    ['GET', '/w/x/y/.'],
  ])('not %s %s', (method, path) => expect(paramsOf(method, path)).toBeNull())

  it('takes the first that matches', () => {
    expect(find('GET', '/orgs/special/members')?.route.path).toBe('/orgs/:id/members')
  })
})
