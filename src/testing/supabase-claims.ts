/**
 * What a Supabase access token holds, claim by claim. Hands on a claim set; signs nothing.
 */

/**
 * Write the claim set of a Supabase access token around the registered claims.
 *
 * @param claims the registered claims (iss, sub, aud, iat, exp, email) and whatever else is to go over the defaults
 */
export function supabaseClaimsOf(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { email, sub, iat } = claims
  return {
    phone: '',
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: { email, email_verified: true, phone_verified: false, sub },
    role: 'authenticated',
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: iat }],
    session_id: '9b2f6d1e-40c7-4b8a-8f35-c1d07e6a2b94',
    is_anonymous: false,
    ...claims,
  }
}
