/** An e-mail that was empty, over-long or had blanks around it made users and organizations with odd names. */
import { expect, it } from 'vitest'
import { toEmail } from '../../src/lib/email.ts'

const LONGEST = `${'a'.repeat(64)}@${'b'.repeat(254 - 65)}`

it.each([
  ['ada@example.test', 'ada@example.test'],
  [' Ada@Example.test\t', 'Ada@Example.test'],
  ['ädä@exämple.test', 'ädä@exämple.test'],
  [LONGEST, LONGEST],
  [`  ${LONGEST}  `, LONGEST],
])('%j is read as %j', (value, email) => {
  expect(toEmail(value)).toBe(email)
})

it.each(
  [
    ['', ' ', 'ada', '@', 'ada@', '@example.test', 'a@b@c', 'a b@example.test'],
    [`${LONGEST}b`, `${'a'.repeat(1000)}@example.test`],
    [`${' '.repeat(2000)}ada@example.test`],
    ['a\u0000@example.test', 'a\u200b@example.test', 'a\ud800@example.test', 'a\u2028@example.test', 'a\u007f@x.test'],
    [null, undefined, 7, {}, ['ada@example.test']],
  ].flat(),
)('%j is none', (value) => {
  expect(toEmail(value)).toBeNull()
})
