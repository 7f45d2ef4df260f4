/** Decisions at a real OpenTelemetry SDK: attributes of the request's span, a counter and a histogram, of closed sets. */
import { context, type MeterProvider as Meters, metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { RPCType, setRPCMetadata } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { OptionsError } from 'sallyport'
import { createTelemetry } from 'sallyport/otel'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BROKEN, decisionOf, EXPIRED, FAILED, NO_KEYS } from './decisions.ts'

const spans = new InMemorySpanExporter()
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
const tracer = tracers.getTracer('test')

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(tracers)
})

afterEach(() => {
  spans.reset()
  metrics.disable()
})

afterAll(() => {
  context.disable()
  trace.disable()
})

// What a decision leaves on the span that is active meanwhile.
function spanWith(run: () => void) {
  tracer.startActiveSpan('GET', (span) => {
    run()
    span.end()
  })
  const span = spans.getFinishedSpans().at(-1)
  return { attributes: span?.attributes, status: span?.status, events: span?.events }
}

// A meter provider, and what it has by now: the points of each metric.
function createMeters() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const read = async () => {
    await provider.forceFlush()
    return (exporter.getMetrics().at(-1)?.scopeMetrics ?? []).flatMap((scope) => scope.metrics)
  }
  return { provider, read }
}

describe('the span of the request', () => {
  it('says what became of it: of closed sets, and the times in seconds', () => {
    expect(spanWith(() => createTelemetry()(decisionOf())).attributes).toEqual({
      'sallyport.outcome': 'allowed',
      'sallyport.caller.kind': 'user',
      'sallyport.request_id': 'r-1',
      'sallyport.credential': 'bearer',
      'sallyport.verify.duration': 0.0002,
      'sallyport.users.duration': 0.003,
      'sallyport.orgs.duration': 0.04,
    })
  })

  it('says why a request was refused, which is no error of the server', () => {
    const { attributes, status } = spanWith(() => createTelemetry()({ ...EXPIRED, got: 'secret', expected: 'secret' }))
    expect(attributes).toEqual({
      'sallyport.outcome': 'refused',
      'sallyport.reason': 'token_expiry_passed',
      'sallyport.request_id': 'r-1',
      'sallyport.credential': 'bearer',
      'sallyport.verify.duration': 0.0003,
    })
    expect(status).toEqual({ code: SpanStatusCode.UNSET })
  })

  it.each([
    ['a storage that is away', FAILED, 'storage_unavailable', 'storage_unavailable: ECONNREFUSED'],
    ['a handler that threw', BROKEN, 'internal_error', 'internal_error: TypeError'],
    ['a key server that is down', NO_KEYS, 'key_servers_failing', 'key_servers_failing'],
  ])('says of %s that it failed, by code or name, without a message and its values', (_, decision, type, message) => {
    const { attributes, status, events } = spanWith(() => createTelemetry()(decision))
    expect(attributes?.['error.type']).toBe(type)
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message })
    expect(events).toEqual([])
  })

  it('names the caller, the organization, the role and the issuer only where that was asked for', () => {
    const all = createTelemetry({ spanDetails: ['caller', 'org', 'role', 'issuer'] })
    expect(spanWith(() => all(decisionOf())).attributes).toMatchObject({
      'enduser.id': 'u-1',
      'sallyport.org.id': 'o-1',
      'sallyport.role': 'admin',
      'sallyport.issuer': 'https://issuer.test',
    })
    const key = spanWith(() => all(decisionOf({ principal: { kind: 'apiKey', id: 'k-1' }, orgId: null }))).attributes
    expect(key).toMatchObject({ 'sallyport.caller.id': 'k-1' })
    expect(Object.keys(key ?? {})).not.toContain('sallyport.org.id')
    expect(Object.keys(spanWith(() => all(EXPIRED)).attributes ?? {})).not.toContain('enduser.id')
  })

  it('shows a reason of the host as a log would, without what breaks a line', () => {
    const { attributes } = spanWith(() => createTelemetry()({ ...EXPIRED, reason: 'trial\nover' }))
    expect(attributes?.['sallyport.reason']).toBe('trial\ufffdover')
  })

  it('is the one of the server, where the instrumentation of HTTP says which that is', () => {
    const served = tracer.startSpan('server')
    const told = setRPCMetadata(context.active(), { type: RPCType.HTTP, span: served })
    context.with(told, () =>
      tracer.startActiveSpan('handler', (span) => {
        createTelemetry()(decisionOf())
        span.end()
      }),
    )
    served.end()
    const [handler, server] = spans.getFinishedSpans()
    expect([handler?.name, handler?.attributes]).toEqual(['handler', {}])
    expect(server?.attributes['sallyport.outcome']).toBe('allowed')
  })

  it('is the active one, where that of the server has ended', () => {
    const served = tracer.startSpan('server')
    served.end()
    const told = setRPCMetadata(context.active(), { type: RPCType.HTTP, span: served })
    const { attributes } = context.with(told, () => spanWith(() => createTelemetry()(decisionOf())))
    expect(attributes?.['sallyport.outcome']).toBe('allowed')
  })

  it('is none where there is none: nothing is made', () => {
    createTelemetry()(FAILED)
    expect(spans.getFinishedSpans()).toEqual([])
  })
})

describe('the metrics', () => {
  it('count by closed sets, and time the steps in seconds', async () => {
    const { provider, read } = createMeters()
    const tell = createTelemetry({ meterProvider: provider })
    for (const decision of [decisionOf(), decisionOf({ requestId: 'r-2', orgId: 'o-2' }), EXPIRED, FAILED])
      tell(decision)
    const [decisions, duration] = await read()
    expect(decisions?.descriptor).toMatchObject({ name: 'sallyport.decisions', unit: '{decision}' })
    expect(decisions?.dataPoints.map(({ attributes, value }) => [attributes, value])).toEqual([
      [{ 'sallyport.outcome': 'allowed', 'sallyport.caller.kind': 'user' }, 2],
      [
        {
          'sallyport.outcome': 'refused',
          'sallyport.reason': 'token_expiry_passed',
          'http.response.status_code': 401,
        },
        1,
      ],
      [
        {
          'sallyport.outcome': 'failed',
          'sallyport.reason': 'storage_unavailable',
          'http.response.status_code': 503,
          'error.type': 'storage_unavailable',
        },
        1,
      ],
    ])
    expect(duration?.descriptor).toMatchObject({ name: 'sallyport.step.duration', unit: 's' })
    const points = duration?.dataPoints.map(({ attributes, value }) => ({ attributes, value }))
    expect(points?.map(({ attributes }) => attributes)).toEqual([
      { 'sallyport.step': 'verify' },
      { 'sallyport.step': 'users' },
      { 'sallyport.step': 'orgs' },
    ])
    expect(points?.[1]?.value).toMatchObject({
      count: 3,
      sum: 5.006,
      buckets: { boundaries: expect.arrayContaining([0.00001, 10]) },
    })
  })

  it('have a reason of the host where it was written, else other', async () => {
    const { provider, read } = createMeters()
    const tell = createTelemetry({ meterProvider: provider, reasons: ['trial_over'] })
    for (const reason of ['trial_over', 'whatever 1', 'whatever 2']) tell({ ...EXPIRED, reason })
    const [decisions] = await read()
    const counted = decisions?.dataPoints.map(({ attributes, value }) => [attributes['sallyport.reason'], value])
    expect(counted).toEqual([
      ['trial_over', 1],
      ['other', 2],
    ])
  })

  it('have the labels that the host adds', async () => {
    const { provider, read } = createMeters()
    const tell = createTelemetry({ meterProvider: provider, labels: { 'app.plan': ({ orgId }) => orgId && 'pro' } })
    tell(decisionOf())
    tell(EXPIRED)
    const [decisions] = await read()
    expect(decisions?.dataPoints.map(({ attributes }) => attributes['app.plan'])).toEqual(['pro', undefined])
  })

  it('go to the global provider, also where that is registered later', async () => {
    const tell = createTelemetry()
    tell(decisionOf())
    const { provider, read } = createMeters()
    metrics.setGlobalMeterProvider(provider as Meters)
    tell(decisionOf())
    tell(decisionOf())
    expect((await read())[0]?.dataPoints.map(({ value }) => value)).toEqual([2])
  })
})

it.each([
  ['an unknown option', { tracer }, 'tracer'],
  ['a detail that there is none of', { spanDetails: ['email'] }, 'spanDetails.0'],
  ['a provider that is none', { meterProvider: {} }, 'meterProvider'],
  ['a label that is there already', { labels: { 'error.type': () => '' } }, 'labels'],
  ['a label of ours', { labels: { 'sallyport.org': () => '' } }, 'labels'],
  ['a label that is no name', { labels: { 'a b': () => '' } }, 'labels'],
])('refuses %s', (_, options, option) => {
  expect(() => createTelemetry(options as never)).toThrow(
    expect.objectContaining({ name: OptionsError.name, option }) as Error,
  )
})
