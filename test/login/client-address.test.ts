/** What an address counts as, and the client's behind trusted proxies: what they added counts, what a client sent never. */
import { describe, expect, it } from 'vitest'
import { forwardedAddress, isLoopbackAddress, toAddressKeys } from '../../src/login/client-address.ts'
import { toRequest } from './login-world.ts'

describe('toAddressKeys', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', null],
    ['::ffff:192.0.2.7', '192.0.2.7', null],
    ['::FFFF:192.0.2.7', '192.0.2.7', null],
    ['::ffff:c000:207', '192.0.2.7', null],
    ['0:0:0:0:0:ffff:c000:0207', '192.0.2.7', null],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8:1:ffff::1', '2001:db8:1:ffff::/64', '2001:db8:1::/48'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::/48'],
    ['::1', '0:0:0:0::/64', '0:0:0::/48'],
    ['::', '0:0:0:0::/64', '0:0:0::/48'],
  ])('%s counts as %s, and as %s', (address, key, network) => {
    expect(toAddressKeys(address)).toEqual({ address: key, network })
  })

  it.each([
    null,
    '',
    'a::b::c',
    '1:2:3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    'x:y::z',
    '/run/app.sock',
    'unknown',
  ])('%s is no address: nobody is counted by it', (address) => {
    expect(toAddressKeys(address)).toBeNull()
  })
})

describe('isLoopbackAddress', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('%s is', (address) => {
    expect(isLoopbackAddress(address)).toBe(true)
  })
  it.each([
    null,
    '',
    '10.0.0.1',
    '128.0.0.1',
    '::2',
    '::ffff:10.0.0.1',
    '127.0.0.1.example',
    '1270.0.0.1',
    'localhost',
  ])('%s is not', (address) => {
    expect(isLoopbackAddress(address)).toBe(false)
  })
})

const PEER = '10.0.0.9'

function ask(hops: number, lines: readonly string[]) {
  const warnings: string[] = []
  const address = forwardedAddress({ hops, onWarning: (sentence) => void warnings.push(sentence) })
  const request = {
    ...toRequest('POST', '/', {}, { address: PEER }),
    lines: (name: string) => (name === 'x-forwarded-for' ? lines : []),
  }
  const given = [address(request), address(request)]
  expect(given[1]).toBe(given[0])
  return { address: given[0], warnings: warnings.length }
}

it.each([
  [1, ['203.0.113.7'], '203.0.113.7'],
  [1, ['1.1.1.1, 2.2.2.2, 203.0.113.7'], '203.0.113.7'],
  [1, ['1.1.1.1', '2.2.2.2,203.0.113.7'], '203.0.113.7'],
  [2, ['1.1.1.1,203.0.113.7 ,\t10.0.0.1'], '203.0.113.7'],
  [3, ['9.9.9.9', '203.0.113.7', '10.0.0.2, 10.0.0.1'], '203.0.113.7'],
  [1, ['', '203.0.113.7'], '203.0.113.7'],
  [1, ['203.0.113.7:5123'], '203.0.113.7'],
  [1, ['[2001:db8::1]:5123'], '2001:db8::1'],
  [1, ['[2001:db8::1]'], '2001:db8::1'],
  [1, ['2001:db8::1'], '2001:db8::1'],
])('behind %i proxies %j is %s', (hops, lines, address) => {
  expect(ask(hops, lines)).toEqual({ address, warnings: 0 })
})

it.each([
  [1, []],
  [2, ['203.0.113.7']],
  [1, ['']],
  [1, ['203.0.113.7,']],
  [1, ['unknown']],
  [1, ['localhost']],
])('behind %i proxies %j has too little in it: the peer counts, with one warning', (hops, lines) => {
  expect(ask(hops, lines)).toEqual({ address: PEER, warnings: 1 })
})

it.each([
  [undefined],
  [{}],
  [{ hops: 0 }],
  [{ hops: 1.5 }],
  [{ hops: 17 }],
  [{ hops: '1' }],
  [{ hops: 1, hop: 1 }],
  [{ hops: 1, onWarning: 'x' }],
])('options %j are refused', (options) => {
  expect(() => forwardedAddress(options as never)).toThrow(TypeError)
  expect(() => forwardedAddress(options as never)).toThrow('forwardedAddress: ')
})

it('a warning that fails changes nothing', () => {
  const address = forwardedAddress({ hops: 1, onWarning: () => Promise.reject(new Error('broken hook')) })
  expect(address(toRequest('POST', '/', {}, { address: PEER }))).toBe(PEER)
})
