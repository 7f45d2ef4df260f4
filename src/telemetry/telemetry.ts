/**
 * Decisions for OpenTelemetry: attributes of the request's span, a counter, a histogram. The one file that imports its API;
 * which SDK stands behind that, and where it sends things, is the host's.
 */
import {
  context,
  createContextKey,
  type MeterProvider,
  metrics,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { Decision } from '../context.ts'
import { toLogText } from '../lib/log-text.ts'
import { aListOf, anObjectWith, maker, oneOf, optional, parseOptions, type Shape } from '../lib/parse-options.ts'
import { describeCause } from '../lib/standard-error.ts'
import {
  createLabelReader,
  type DecisionLabels,
  DURATION_BOUNDS,
  type LabelOptions,
  labelShape,
  STEPS,
} from './decision-labels.ts'

/** What of a decision is not on a span unless the host says so. */
export type SpanDetail = 'caller' | 'org' | 'role' | 'issuer'

/** Options of {@link createTelemetry}. */
export interface TelemetryOptions extends LabelOptions {
  /**
   * What else the span says: `caller` (a user's id as `enduser.id`, another caller's as `sallyport.caller.id`), `org`
   * (`sallyport.org.id`), `role`, `issuer`. These name people and tenants to whoever reads traces. Default: none.
   */
  readonly spanDetails?: readonly SpanDetail[] | undefined
  /** Where the counter and the histogram are made. Default: the global one, also where that is set later. */
  readonly meterProvider?: MeterProvider | undefined
}

const OWN = 'sallyport.'
const CALLER_KIND = `${OWN}caller.kind`
const STATUS = 'http.response.status_code'
const ERROR_TYPE = 'error.type'

const shape = (): Shape<TelemetryOptions> => ({
  ...labelShape(
    (name) => /^[a-z]\w*(?:\.\w+)*$/i.test(name) && !name.startsWith(OWN) && name !== STATUS && name !== ERROR_TYPE,
    `must have names of words joined by ".", and none that this sets itself`,
  ),
  spanDetails: optional(aListOf(oneOf('caller', 'org', 'role', 'issuer'))),
  meterProvider: optional(anObjectWith('getMeter')),
})

type Attributes = Record<string, string | number>

/**
 * Make an `onDecision` that tells OpenTelemetry of each request:
 *
 * - On the span of the request (the server's, where the instrumentation of HTTP says which that is, else the active one; none is
 *   made): `sallyport.outcome`, `sallyport.reason`, `sallyport.request_id`, `sallyport.credential`, `sallyport.caller.kind`,
 *   and seconds as `sallyport.verify.duration`, `sallyport.users.duration`, `sallyport.orgs.duration`. What is answered 5xx also
 *   sets `error.type` and the status of the span, with the code or the name of its cause; a refusal is no error of the server's.
 * - `sallyport.decisions`, a counter (`{decision}`), by `sallyport.outcome`, `sallyport.reason`, `sallyport.caller.kind`,
 *   `http.response.status_code` (of refusals and faults) and `error.type`.
 * - `sallyport.step.duration`, a histogram (`s`), by `sallyport.step`.
 *
 * Attributes of metrics are of closed sets; no user, organization, path or issuer is told unless an option says so, and never a
 * token, a secret, `expected`, `got` or an error's message. Needs `@opentelemetry/api` 1.9 or newer; where no SDK is
 * registered it does nothing. A few microseconds a request.
 *
 * @throws OptionsError for a wrong option
 * @example
 * const auth = createAuth({ issuers, storage, roles, onDecision: createTelemetry() })
 */
export const createTelemetry: (options?: TelemetryOptions) => (decision: Decision) => void = /* @__PURE__ */ maker(
  'createTelemetry()',
  telemetry,
)

function telemetry(options: TelemetryOptions = {}): (decision: Decision) => void {
  const parsed = parseOptions('createTelemetry', shape(), options)
  const { spanDetails = [], meterProvider } = parsed
  const labelsOf = createLabelReader(parsed)
  const instrumentsOf = createInstruments()

  return (decision) => {
    const labels = labelsOf(decision)
    const { decisions, duration } = instrumentsOf(meterProvider ?? metrics.getMeterProvider())
    decisions.add(1, { ...attributesOf(labels), ...labels.own })
    for (const step of STEPS) {
      const milliseconds = decision.timings[step]
      if (milliseconds !== undefined) duration.record(milliseconds / 1000, { [`${OWN}step`]: step })
    }
    const span = findSpan()
    if (span !== null) describe(span, decision, { labels, spanDetails })
  }
}

// The API hands out a provider that does nothing until an SDK is registered, which may be after this was made.
function createInstruments() {
  let made: ReturnType<typeof make> | null = null
  const make = (provider: MeterProvider) => {
    const meter = provider.getMeter('sallyport')
    return {
      provider,
      decisions: meter.createCounter(`${OWN}decisions`, {
        description: 'Requests that were let in, refused or failed.',
        unit: '{decision}',
      }),
      duration: meter.createHistogram(`${OWN}step.duration`, {
        description: 'How long each step of a request took.',
        unit: 's',
        advice: { explicitBucketBoundaries: [...DURATION_BOUNDS] },
      }),
    }
  }
  return (provider: MeterProvider) => {
    if (made?.provider !== provider) made = make(provider)
    return made
  }
}

// Under this key `@opentelemetry/core` keeps the span of the request for whoever knows more of it, its route above all.
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')

function findSpan(): Span | null {
  const served = context.active().getValue(RPC_METADATA) as { readonly span?: Span } | undefined
  return [served?.span, trace.getActiveSpan()].find((span) => span?.isRecording()) ?? null
}

function attributesOf({ outcome, reason, status, caller }: DecisionLabels): Attributes {
  const said: Attributes = { [`${OWN}outcome`]: outcome }
  if (reason !== null) said[`${OWN}reason`] = reason
  if (caller !== null) said[CALLER_KIND] = caller
  if (status !== null) said[STATUS] = status
  if (reason !== null && isError(status)) said[ERROR_TYPE] = reason
  return said
}

function isError(status: number | null): boolean {
  return status !== null && status >= 500
}

interface Told {
  readonly labels: DecisionLabels
  readonly spanDetails: readonly SpanDetail[]
}

function describe(span: Span, decision: Decision, { labels, spanDetails }: Told): void {
  const { requestId, reason, credential, timings, cause } = decision
  // What is answered stands on the span already, and comes from who writes the answer.
  const { [STATUS]: _, ...said } = attributesOf(labels)
  if (labels.reason !== null) said[`${OWN}reason`] = toLogText(reason) ?? labels.reason
  said[`${OWN}request_id`] = requestId
  if (credential !== null) said[`${OWN}credential`] = credential
  for (const step of STEPS) {
    const milliseconds = timings[step]
    if (milliseconds !== undefined) said[`${OWN}${step}.duration`] = milliseconds / 1000
  }
  for (const detail of spanDetails) Object.assign(said, DETAILS[detail](decision))
  span.setAttributes(said)
  if (!isError(labels.status)) return
  const why = cause === undefined ? '' : `: ${describeCause(cause)}`
  span.setStatus({ code: SpanStatusCode.ERROR, message: `${labels.reason}${why}` })
}

const DETAILS: Readonly<Record<SpanDetail, (decision: Decision) => Attributes>> = {
  caller: ({ principal }) =>
    principal === null ? {} : { [principal.kind === 'user' ? 'enduser.id' : `${OWN}caller.id`]: principal.id },
  org: ({ orgId }) => (orgId === null ? {} : { [`${OWN}org.id`]: orgId }),
  role: ({ role }) => (role === null ? {} : { [`${OWN}role`]: role }),
  issuer: ({ issuer }) => (issuer === null ? {} : { [`${OWN}issuer`]: issuer }),
}
