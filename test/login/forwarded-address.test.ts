/** The client's address behind trusted proxies: what they added counts, what a client sent itself never. */
import { expect, it } from 'vitest'
import { forwardedAddress } from '../../src/login/forwarded-address.ts'
import { toRequest } from './login-world.ts'

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
