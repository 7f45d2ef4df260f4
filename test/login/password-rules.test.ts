/** L5: length by code points, no composition rules, and not what everybody tries first. */
import { describe, expect, it } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { MOST_COMMON_PASSWORDS, requireGoodPassword } from '../../src/login/password-rules.ts'

const RULES = { minLength: 15, serviceName: 'ironflow' }

function judge(password: string, minLength = 15, email = 'ada.lovelace@example.test'): string {
  try {
    requireGoodPassword(password, { ...RULES, minLength }, email, 'password')
    return 'fine'
  } catch (error) {
    if (!isAuthError(error) || error.field !== 'password') throw error
    return String(error.reason).replace('password_', '')
  }
}

describe('length', () => {
  it.each([
    ['14 code points', 'tulip-cavern-9', 'length'],
    ['15 code points', 'tulip-cavern-91', 'fine'],
    ['15 code points of 4 bytes', '🦊🐢🦉🐝🦀🐙🦋🐞🦎🐬🦩🦔🐓🦜🐿', 'fine'],
    ['14 code points in 28 units', '🦊🐢🦉🐝🦀🐙🦋🐞🦎🐬🦩🦔🐓🦜', 'length'],
    ['15 once normalized', 'tulip-cavern-\ufb01', 'fine'],
    ['15 in two forms of accents', 'e\u0301'.repeat(8), 'length'],
    ['256 code points', `${'tulip91-'.repeat(31)}cavern-1`, 'fine'],
    ['257 code points', `${'tulip91-'.repeat(31)}cavern-12`, 'length'],
    ['1,025 bytes', `${'🦊🐢🦉🐝'.repeat(64)}x`, 'length'],
    ['half a surrogate pair', 'tulip-cavern-91-\ud83e', 'length'],
    ['nothing', '', 'length'],
  ])('%s', (_, password, judgement) => {
    expect(judge(password)).toBe(judgement)
  })

  it('may be asked for down to 8', () => {
    expect([judge('kx7#mv2', 8), judge('kx7#mv2!', 8)]).toEqual(['length', 'fine'])
  })
})

describe('no composition rules', () => {
  it.each([
    'allsmallletterswithoutanything',
    'ALL CAPITALS AND SOME SPACES',
    'four plain words here',
    'длинный пароль из слов',
    '長い日本語のパスワードを使います',
    '   leading and trailing spaces   ',
    '7391 0264 8850 1937',
  ])('%s is fine', (password) => {
    expect(judge(password)).toBe('fine')
  })
})

describe('what everybody tries first', () => {
  it.each([
    'passwordpassword',
    'Password1234567',
    'PASSWORDPASSWORD1',
    'P@ssw0rdP@ssw0rd',
    '123456789012345',
    '1234567890123456',
    '012345678901234567890',
    '987654321098765',
    'dragondragondragon',
    'trustno1trustno1',
    '123456123456123456',
    'abcdefghijklmnopqrstuvwxyz',
    'zyxwvutsrqponmlk',
    'qwertyuiopasdfghjkl',
    'qwertyuiopasdfghjklzxcvbnm',
    'lkjhgfdsapoiuytrewq',
    '1qaz2wsx3edc4rfv',
    '1q2w3e4r5t6y7u8i',
    'iloveyouiloveyou',
    'letmeinletmein!!',
    'administrator123',
    'welcome123456789',
    'changemechangeme',
    'thisismypassword',
    '2026passwordpassword',
    'qwertyuiop123456',
    'warhammerenterprise',
    'enterprisetechnics',
  ])('%s is refused', (password) => {
    expect(judge(password)).toBe('common')
  })

  it('knows the 3,000 most common passwords, whatever the shortest may be', () => {
    expect(MOST_COMMON_PASSWORDS.size).toBe(3000)
    const long = [...MOST_COMMON_PASSWORDS].filter((password) => password.length >= 8)
    expect(long.length).toBe(675)
    expect(long.filter((password) => judge(password, 8) !== 'common')).toEqual([])
    expect(long.filter((password) => judge(password.toUpperCase(), 8) !== 'common')).toEqual([])
  })

  // 15 to 256 code points are fine.
  it.each(['x'.repeat(15), 'x'.repeat(256), 'ab'.repeat(128), 'abc'.repeat(5), '7'.repeat(15), 'osprey!'.repeat(3)])(
    '%s repeats nothing that is listed, and is fine',
    (password) => {
      expect(judge(password)).toBe('fine')
    },
  )

  it.each(['xxxxxxxx', 'abababababab', 'abcabcabcabc', 'ghijghijghij'])(
    '%s is refused where 8 are enough',
    (password) => {
      expect(judge(password, 8)).toBe('common')
    },
  )

  it.each(['password', 'iloveyou', 'sunshine', 'qwerty12', '12345678', 'football', 'P4ssw0rd', 'letmein1', 'dragon99'])(
    '%s is refused where 8 are enough',
    (password) => {
      expect(judge(password, 8)).toBe('common')
    },
  )
})

describe('what the password is for', () => {
  it.each([
    'ironflow-ironflow',
    'IronFlow-2026!!',
    'ada.lovelace@example.test',
    'lovelace-lovelace',
    'ada.lovelace-2026',
    'ironflow-lovelace-1',
    'example.test-ada1',
    '2026/IRONFLOW/2026',
    '*** ironflow ***',
  ])('%s is refused', (password) => {
    expect(judge(password)).toBe('near_context')
  })

  it.each([
    'ironflow-tulip-harbour-7',
    'ironflow is ours',
    'tulip-cavern-ada',
    'lovelace-kestrel',
    'ironflow🦊🐢🦉🐝🦀🐙🦋',
  ])('%s has it in it, and is fine', (password) => {
    expect(judge(password)).toBe('fine')
  })

  it('is not in digits that an address happens to have too', () => {
    expect(judge('7391 0264 2024 8850', 15, '2024@example.test')).toBe('fine')
  })
})
