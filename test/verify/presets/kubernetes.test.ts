import { describe } from 'vitest'
import { createTokenIssuer } from '../../../src/testing/token-issuer.ts'
import { kubernetes } from '../../../src/verify/presets/kubernetes.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const { jwks } = await createTokenIssuer({ algorithms: ['ES256'] })
const UID = '02266182-74ea-45dc-b0d7-6f7449f9ae11'
const worker = { namespace: 'jobs', serviceAccount: 'worker', permissions: ['jobs:write'] }
const options = {
  issuer: 'https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF',
  audience: 'https://api.example.com',
  callers: { worker },
}
const preset = kubernetes(options)
const withUid = kubernetes({ ...options, callers: { worker: { ...worker, uid: UID } } })

const BOUND = {
  namespace: 'jobs',
  node: { name: 'node1', uid: 'f7cdb99c-bb49-447c-9481-c36c13a5e753' },
  pod: { name: 'worker-7b94444f8d-hws2b', uid: 'da2a9517-e352-47de-bb01-8e5450be3991' },
  serviceaccount: { name: 'worker', uid: UID },
  warnafter: 1780275607,
}
const account = (over: object) => ({ ...BOUND, serviceaccount: { ...BOUND.serviceaccount, ...over } })
const pod = {
  iss: options.issuer,
  aud: ['https://api.example.com'],
  sub: 'system:serviceaccount:jobs:worker',
  jti: '19a333f4-ebc2-4061-ad56-dfceabff6fcf',
  'kubernetes.io': BOUND,
}
const machine = { name: 'worker', orgId: undefined, role: null, permissions: ['jobs:write'] }
const known = { kind: 'machine', machine, subject: pod.sub } as const
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'Kubernetes',
  preset,
  page: 'kubernetes.long.ts',
  base: { claims: pod, typ: null },
  cases: [
    { label: 'a projected token', expected: { ...known, email: null, scopes: null } },
    { label: 'for several audiences', claims: { aud: ['vault', 'https://api.example.com'] }, expected: known },
    { label: 'that is bound to no node', claims: { 'kubernetes.io': { ...BOUND, node: undefined } }, expected: known },
    {
      label: 'of an account that was made anew',
      claims: { 'kubernetes.io': account({ uid: 'a534f551-b2b1-4e66-bda5-e9b5e2a5602c' }) },
      expected: known,
    },
    { label: 'of the very account', preset: withUid, expected: known },
    {
      label: 'of an account that was made anew, where the very one is named',
      preset: withUid,
      claims: { 'kubernetes.io': account({ uid: 'a534f551-b2b1-4e66-bda5-e9b5e2a5602c' }) },
      expected: notAccepted,
    },
    {
      label: 'without a uid, where one is named',
      preset: withUid,
      claims: { 'kubernetes.io': account({ uid: undefined }) },
      expected: notAccepted,
    },
    {
      label: 'of another account',
      claims: { sub: 'system:serviceaccount:jobs:default', 'kubernetes.io': account({ name: 'default' }) },
      expected: notAccepted,
    },
    {
      label: 'of the same account in another namespace',
      claims: { sub: 'system:serviceaccount:eve:worker', 'kubernetes.io': { ...BOUND, namespace: 'eve' } },
      expected: notAccepted,
    },
    {
      label: 'whose subject is another one',
      claims: { sub: 'system:serviceaccount:eve:worker' },
      expected: notAccepted,
    },
    {
      label: 'whose account is another one',
      claims: { 'kubernetes.io': account({ name: 'default' }) },
      expected: notAccepted,
    },
    {
      label: 'whose namespace is another one',
      claims: { 'kubernetes.io': { ...BOUND, namespace: 'eve' } },
      expected: notAccepted,
    },
    {
      label: 'that names the account in other words',
      claims: { sub: 'System:ServiceAccount:jobs:worker' },
      expected: notAccepted,
    },
    { label: 'of a user', claims: { sub: 'ada', 'kubernetes.io': undefined }, expected: notAccepted },
    { label: 'without what Kubernetes says', claims: { 'kubernetes.io': undefined }, expected: notAccepted },
    {
      label: 'with the claims of a legacy one',
      claims: {
        'kubernetes.io': undefined,
        'kubernetes.io/serviceaccount/namespace': 'jobs',
        'kubernetes.io/serviceaccount/service-account.name': 'worker',
      },
      expected: notAccepted,
    },
    { label: 'that never ends', claims: { exp: undefined }, expected: ['unauthorized', 'token_without_expiry'] },
    {
      label: 'for the API server',
      claims: { aud: ['https://kubernetes.default.svc'] },
      expected: ['unauthorized', 'token_audience_other'],
    },
    { label: 'for nobody', claims: { aud: undefined }, expected: ['unauthorized', 'token_audience_missing'] },
    {
      label: 'of another cluster',
      claims: { iss: 'https://kubernetes.default.svc.cluster.local' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'of the legacy issuer',
      claims: { iss: 'kubernetes/serviceaccount' },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'of a cluster whose issuer changes',
      preset: kubernetes({ ...options, issuer: ['https://new.example.com', options.issuer] }),
      expected: { ...known, issuer: 'https://new.example.com' },
    },
    {
      label: 'of a cluster in Azure, with a slash',
      preset: kubernetes({ ...options, issuer: 'https://eastus.oic.prod-aks.azure.com/t/c/' }),
      claims: { iss: 'https://eastus.oic.prod-aks.azure.com/t/c/' },
      expected: known,
    },
    {
      label: 'by keys from elsewhere',
      preset: kubernetes({ ...options, jwks: 'https://keys.example.com/jwks' }),
      expected: known,
    },
    {
      label: 'by other keys, written out',
      preset: kubernetes({ ...options, jwks: jwks().keys }),
      expected: ['unauthorized', 'token_key_unknown'],
    },
  ],
})

describe('kubernetes()', () => {
  const caller = (over: object) => ({ callers: { worker: { ...worker, ...over } } })
  describeMistakes(kubernetes, options, [
    ['no callers', { callers: {} }, 'callers', /must name a caller/],
    ['a caller of a name that no route can take', { callers: { 'a/b': worker } }, 'callers', /letters, digits/],
    ['no namespace', caller({ namespace: undefined }), 'callers.worker.namespace'],
    ['any namespace', caller({ namespace: '*' }), 'callers.worker.namespace', /no wildcards/],
    [
      'an account with its namespace',
      caller({ serviceAccount: 'jobs:worker' }),
      'callers.worker.serviceAccount',
      /given apart/,
    ],
    [
      'an account as kubectl writes it',
      caller({ serviceAccount: 'serviceaccount/worker' }),
      'callers.worker.serviceAccount',
      /given apart/,
    ],
    [
      'a wildcard of an account',
      caller({ serviceAccount: 'worker-*' }),
      'callers.worker.serviceAccount',
      /no wildcards/,
    ],
    ['an account in upper case', caller({ serviceAccount: 'Worker' }), 'callers.worker.serviceAccount', /lower case/],
    ['a uid that is none', caller({ uid: 'worker' }), 'callers.worker.uid', /kubectl get/],
    ['a misspelt option', caller({ service_account: 'x' }), 'callers.worker.service_account', /unknown/],
    ['a role that is none', caller({ role: '' }), 'callers.worker.role'],
    [
      "the API server's audience",
      { audience: 'https://kubernetes.default.svc.cluster.local' },
      'audience',
      /every pod/,
    ],
    ['the same without a scheme', { audience: 'kubernetes.default.svc' }, 'audience', /every pod/],
    ["one of k3s'", { audience: ['https://api.example.com', 'k3s'] }, 'audience', /every pod/],
    ['no audience', { audience: undefined }, 'audience'],
    ['an empty list of audiences', { audience: [] }, 'audience', /empty/],
    ['the legacy issuer', { issuer: 'kubernetes/serviceaccount' }, 'issuer', /never end/],
    [
      'the legacy issuer beside another',
      { issuer: [options.issuer, 'kubernetes/serviceaccount'] },
      'issuer',
      /never end/,
    ],
    ['no issuer', { issuer: [] }, 'issuer', /empty/],
    ['an issuer that is a host', { issuer: 'kubernetes.default.svc' }, 'issuer'],
    ['no key', { jwks: [] }, 'jwks', /list of JWKs/],
    ['keys as text', { jwks: '{"keys":[]}' }, 'jwks'],
  ])
})
