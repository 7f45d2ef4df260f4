import { describe, expect, it } from 'vitest'
import { requireSameOrigin } from '../../src/credentials/csrf.ts'
import { type FakeRequestOptions, fakeRequest } from '../pipeline/fake-request.ts'
import { refusalOf } from '../pipeline/world.ts'

const OWN = 'https://app.test'
const site = (value: string | string[], more: Record<string, string> = {}): FakeRequestOptions => ({
  method: 'POST',
  headers: { 'sec-fetch-site': value, ...more },
})
const from = (origin: string | string[], more: Partial<FakeRequestOptions> = {}): FakeRequestOptions => ({
  method: 'POST',
  ...more,
  headers: { origin, host: 'app.test', ...more.headers },
})

// [what, request, our own origin, whether it may pass with a session cookie]
const CASES: readonly (readonly [string, FakeRequestOptions, string | null, boolean])[] = [
  ['a safe method from anywhere', { ...site('cross-site'), method: 'GET' }, OWN, true],
  ['HEAD', { ...site('cross-site'), method: 'HEAD' }, OWN, true],
  ['OPTIONS', { ...site('cross-site'), method: 'OPTIONS' }, OWN, true],
  ['a WebSocket upgrade from elsewhere', { ...site('cross-site'), method: 'GET', upgrade: true }, OWN, false],
  ['a WebSocket upgrade from here', { ...from(OWN), method: 'GET', upgrade: true }, OWN, true],
  ['an unknown method from elsewhere', { ...site('cross-site'), method: 'PROPFIND' }, OWN, false],
  ['same-origin', site('same-origin'), OWN, true],
  ['none: typed or from a bookmark', site('none'), OWN, true],
  ['same-site: another host of the site', site('same-site'), OWN, false],
  ['cross-site', site('cross-site'), OWN, false],
  ['a word no browser says', site('SAME-ORIGIN'), OWN, false],
  ['an empty word', site(''), OWN, false],
  ['two words', site(['same-origin', 'cross-site']), OWN, false],
  ['cross-site with our own Origin: the site header decides', site('cross-site', { origin: OWN }), OWN, false],
  ['same-origin with a foreign Origin: the site header decides', site('same-origin', { origin: 'null' }), OWN, true],
  ['our own Origin, no site header', from(OWN), OWN, true],
  ['another Origin', from('https://evil.test'), OWN, false],
  ['our Origin over http', from('http://app.test'), OWN, false],
  ['our Origin on another port', from('https://app.test:8443'), OWN, false],
  ['our Origin as a prefix', from('https://app.test.evil.test'), OWN, false],
  ['the null Origin', from('null'), OWN, false],
  ['two Origins', from([OWN, OWN]), OWN, false],
  ['Origin against Host over TLS', from('https://app.test', { encrypted: true }), null, true],
  ['Origin against Host in the clear', from('http://app.test'), null, true],
  ['Origin against Host, another scheme', from('https://app.test'), null, false],
  ['Origin against Host, any case of it', from('http://app.test', { headers: { host: 'App.Test' } }), null, true],
  [
    'X-Forwarded-Proto means nothing',
    from('https://app.test', { headers: { 'x-forwarded-proto': 'https' } }),
    null,
    false,
  ],
  ['neither header', { method: 'POST' }, OWN, false],
  [
    'Origin against :authority',
    from('http://app.test', { headers: { host: [], ':authority': 'App.Test' } }),
    null,
    true,
  ],
  [
    'another Origin than :authority',
    from('http://evil.test', { headers: { host: [], ':authority': 'app.test' } }),
    null,
    false,
  ],
  [
    'a Host that is another than :authority',
    from('http://app.test', { headers: { host: 'evil.test', ':authority': 'app.test' } }),
    null,
    false,
  ],
  [
    'the same with the Origin of Host',
    from('http://evil.test', { headers: { host: 'evil.test', ':authority': 'app.test' } }),
    null,
    false,
  ],
  ['two Hosts that differ', from('http://app.test', { headers: { host: ['app.test', 'evil.test'] } }), null, false],
  ['no host at all', from('http://', { headers: { host: [] } }), null, false],
  ['an empty host', from('http://', { headers: { host: '' } }), null, false],
]

describe('the cross-site rule', () => {
  it.each(CASES)('%s', async (_what, request, origin, passes) => {
    const check = (): void => requireSameOrigin(fakeRequest(request), origin, true)
    if (passes) expect(check).not.toThrow()
    else expect(await refusalOf(check)).toMatchObject({ code: 'forbidden', reason: 'cross_site_request' })
  })

  it('lets a script without a session cookie pass, which sends neither header', () => {
    expect(() => requireSameOrigin(fakeRequest({ method: 'POST' }), OWN, false)).not.toThrow()
    expect(() => requireSameOrigin(fakeRequest(site('cross-site')), OWN, false)).toThrow()
  })
})
