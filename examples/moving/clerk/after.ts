import express from 'express'
import { createAuth, createJwtVerifier } from 'sallyport'
import { createAdapter } from 'sallyport/express'
import { clerk } from 'sallyport/issuers'

// For each feature of the organization (`fea`) there is a number (`o.fpm`), whose bits say which permissions (`o.per`) hold.
function permissionsOf({ o, fea }: Readonly<Record<string, unknown>>) {
  const { per = '', fpm = '' } = Object(o) as { per?: string; fpm?: string }
  const [names, masks] = [per.split(','), fpm.split(',')]
  const features = String(fea ?? '')
    .split(',')
    .flatMap((each) => /^(?:o|ou|uo):(.+)$/.exec(each)?.[1] ?? [])
  return features.flatMap((feature, at) => {
    const holds = (_: string, bit: number) => (BigInt(masks[at] ?? 0) >> BigInt(bit)) % 2n === 1n
    return names.filter(holds).map((name) => `org:${feature}:${name}`)
  })
}

const frontendApi = String(process.env.CLERK_FRONTEND_API) // https://clerk.example.com
const authorizedParties = ['https://app.example.com']
const issuers = [clerk({ frontendApi, authorizedParties, claims: { scopes: permissionsOf } })]
const auth = createAuth({ verifier: createJwtVerifier({ issuers, claims: ['o'] }) })
const { protect } = createAdapter(auth)

export const app = express()

app.get(
  '/api/me',
  protect(({ identity }, _req, res) => res.json({ subject: identity.subject })),
)

app.get(
  '/api/feed',
  protect({ optional: true }, (context, _req, res) => res.json({ subject: context?.identity.subject ?? null })),
)

app.get(
  '/api/invoices',
  protect({ permissions: ['org:invoices:read'] }, (context, _req, res) => {
    const { subject, claims } = context.identity
    res.json({ subject, org: Object(claims.o).id, mayPay: auth.can(context, 'org:invoices:pay') })
  }),
)
