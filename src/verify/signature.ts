/**
 * Check one signature with one key, by jose: it is audited, and it is the library's one dependency for this very reason.
 * The form of the token is known to be good by now, and the key was imported for one algorithm. Hands on yes or no.
 */
import { compactVerify } from 'jose'

/** Ask whether the key signed this token (RFC 7515 §5.2). Never throws. */
export async function isSignedBy(key: CryptoKey, token: string): Promise<boolean> {
  try {
    await compactVerify(token, key)
    return true
  } catch {
    // The key is imported and fits the algorithm: whatever is thrown here was provoked by the token.
    return false
  }
}
