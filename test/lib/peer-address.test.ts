import { describe, expect, it } from 'vitest'
import { isLoopbackAddress, toAddressKeys } from '../../src/lib/peer-address.ts'

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
