import { describe, expect, it } from 'vitest'
import { isLoopbackAddress, toAddressKey } from '../../src/lib/peer-address.ts'

describe('toAddressKey', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:c000:0207', '192.0.2.7'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    [null, 'unknown'],
    ['', 'unknown'],
    ['a::b::c', 'unknown'],
    ['1:2:3', 'unknown'],
    ['1:2:3:4:5:6:7:8:9', 'unknown'],
    ['1:2:3:4:5:6:7:8::', 'unknown'],
    ['x:y::z', 'unknown'],
    ['/run/app.sock', 'unknown'],
  ])('%s counts as %s', (address, key) => {
    expect(toAddressKey(address)).toBe(key)
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
