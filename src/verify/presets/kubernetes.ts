/** The preset of Kubernetes: service accounts, by the tokens that are projected into their pods. */
import { checkedBy, type OptionType, optional, parseOptions, type Shape } from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import type { IssuerOptions, KeySource } from '../issuer-options.ts'
import { grantShape, type MachineGrant } from '../machine-rules.ts'
import { callersOnly, given, someCallers } from './callers.ts'
import { type Audience, describeServerUrl, type PresetOptions, placesOf, presetShape } from './preset.ts'

/** A service account. */
export interface KubernetesCaller extends MachineGrant {
  /** The namespace that it is in. */
  readonly namespace: string
  /** Its name there. */
  readonly serviceAccount: string
  /** Its uid, so that an account that was made anew under the same name is refused. */
  readonly uid?: string | undefined
}

/** Options of {@link kubernetes}. */
export interface KubernetesOptions extends PresetOptions {
  /** The cluster's `--service-account-issuer`: `kubectl get --raw /.well-known/openid-configuration`; several while it changes. */
  readonly issuer: string | readonly string[]
  /** What your pods' tokens are projected for: a URL of your own service. */
  readonly audience: Audience
  /** Who may call, by the names that routes accept: `{ worker: { namespace: 'jobs', serviceAccount: 'worker' } }`. */
  readonly callers: Readonly<Record<string, KubernetesCaller>>
  /**
   * The cluster's keys, where its own metadata can't be had without credentials: the URL of a copy of them, or the JWKs that
   * `kubectl get --raw /openid/v1/jwks` prints. Default: what the issuer's metadata names.
   */
  readonly jwks?: string | readonly object[] | undefined
}

const kubernetesShape = (): Shape<KubernetesOptions> => ({
  issuer: checkedBy(describeIssuers),
  audience: checkedBy(describeAudience),
  callers: someCallers<KubernetesCaller>({
    namespace: aName(63, /^[a-z\d]([a-z\d-]*[a-z\d])?$/),
    serviceAccount: aName(253, /^[a-z\d]([a-z\d.-]*[a-z\d])?$/),
    uid: optional(checkedBy(describeUid)),
    ...grantShape(),
  }),
  jwks: optional(checkedBy(describeKeys)),
  ...presetShape(),
})

/**
 * Write the issuer of a Kubernetes cluster. A token that is projected for an audience of your own names its service account by
 * namespace and name, which can be made anew by whoever may, and by `uid`. Its tokens are machines' always; those of accounts
 * that no caller is are refused. What is checked is the token alone: that of a pod that was deleted is good until it ends, ten
 * minutes to an hour. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'discovery', algorithms: ['RS256', 'ES256'] }], audience, machine, machines, accepts, people: 'own' }`
 * @throws OptionsError the API server's own audience, which every pod has a token for; the issuer of legacy tokens, which never
 * end; an account with its namespace in one
 * @example
 * kubernetes({
 *   issuer: 'https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF',
 *   audience: 'https://api.example.com',
 *   callers: { worker: { namespace: 'jobs', serviceAccount: 'worker', permissions: ['jobs:write'] } },
 * })
 */
export function kubernetes(options: KubernetesOptions): IssuerOptions {
  const { issuer, audience, callers, jwks, claims } = parseOptions('kubernetes', kubernetesShape(), options)
  return {
    issuer,
    keys: [keysOf(jwks)],
    audience,
    claims: placesOf({}, claims),
    ...callersOnly(callers, ({ namespace, serviceAccount: name, uid }) => ({
      sub: `system:serviceaccount:${namespace}:${name}`,
      'kubernetes.io': { namespace, serviceaccount: { name, ...given({ uid }) } },
    })),
  }
}

function keysOf(jwks: KubernetesOptions['jwks']): KeySource {
  const algorithms = ['RS256', 'ES256'] as const
  if (jwks === undefined) return { kind: 'discovery', algorithms }
  return typeof jwks === 'string' ? { kind: 'jwks', url: jwks, algorithms } : { kind: 'jwks', keys: jwks, algorithms }
}

function describeIssuers(value: unknown): string | null {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (names.length === 0) return 'must not be empty'
  if (names.includes('kubernetes/serviceaccount')) return 'is that of legacy tokens, which never end: project tokens'
  // Azure's ends in a slash.
  const bare = names.map((name) => (typeof name === 'string' ? name.replace(/\/$/, '') : name))
  return bare.map(describeServerUrl).find((each) => each !== null) ?? null
}

function describeAudience(value: unknown): string | null {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  const wrong = names.length === 0 ? 'must not be empty' : names.map(describeText).find((each) => each !== null)
  if (wrong != null) return wrong
  return names.some((name) => /^(https:\/\/)?kubernetes\.default(\.|$)|^(api|k3s)$/.test(name as string))
    ? "is the API server's own, which every pod has a token for: project tokens for the URL of your service"
    : null
}

function aName(longest: number, form: RegExp): OptionType<string> {
  return checkedBy((value) => {
    if (typeof value === 'string' && /[:/]/.test(value))
      return 'must be a name alone: namespace and account are given apart'
    return typeof value === 'string' && value.length <= longest && form.test(value)
      ? null
      : 'must be a name in lower case, as Kubernetes has it; there are no wildcards'
  })
}

function describeUid(value: unknown): string | null {
  return typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)
    ? null
    : 'must be a uid: kubectl get serviceaccount <name> -o jsonpath={.metadata.uid}'
}

function describeKeys(value: unknown): string | null {
  if (typeof value === 'string') return describeServerUrl(value)
  return Array.isArray(value) && value.length > 0 && value.every((key) => typeof key === 'object' && key !== null)
    ? null
    : 'must be a URL, or a list of JWKs'
}
