/**
 * The rules of a new password, one for every way to set one (NIST SP 800-63B-4): length, and not one that everybody
 * tries first. No composition rules. Refuses with 400 naming the field.
 */
import { AuthError } from '../errors.ts'
import { readPasswordText } from '../lib/password-text.ts'
import { isCommonPassword, isNearContext } from './common-passwords.ts'

/** What a new password is judged by. */
export interface PasswordRules {
  /** Fewest code points, 8 to 64. */
  readonly minLength: number
  /** The name of the service. */
  readonly serviceName: string
}

const MAX_LENGTH = 256

/** What is wrong with a new password, or `fine`. Pure. */
type PasswordJudgement = 'fine' | 'length' | 'common' | 'near_context'

/** Judge a new password: `length` also where it is over 1,024 bytes of UTF-8 or no well-formed Unicode. */
export function judgePassword(password: string, rules: PasswordRules, email: string): PasswordJudgement {
  const read = readPasswordText(password)
  if (read === null || read.codePoints < rules.minLength || read.codePoints > MAX_LENGTH) return 'length'
  if (isCommonPassword(read.text)) return 'common'
  return isNearContext(read.text, [rules.serviceName, email]) ? 'near_context' : 'fine'
}

/**
 * Require that a new password follows the rules.
 *
 * @param field the member of the body it came in
 * @throws AuthError `validation_error` naming the field
 */
export function requireGoodPassword(password: string, rules: PasswordRules, email: string, field: string): void {
  const judgement = judgePassword(password, rules, email)
  if (judgement === 'length') throw new AuthError('validation_error', { field, reason: 'password_length' })
  if (judgement === 'common') throw new AuthError('validation_error', { field, reason: 'password_common' })
  if (judgement !== 'fine') throw new AuthError('validation_error', { field, reason: 'password_near_context' })
}
