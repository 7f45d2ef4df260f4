// What a host runs before its app: tracing and metrics with the instrumentation of HTTP and Express, kept in memory.
import { register } from 'node:module'
import { metrics } from '@opentelemetry/api'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)

const spans = new InMemorySpanExporter()
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).register()
const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 })
const meters = new MeterProvider({ readers: [reader] })
metrics.setGlobalMeterProvider(meters)
registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()] })

// What was told by now, for the app to print.
globalThis.told = async () => {
  await meters.forceFlush()
  return {
    spans: spans.getFinishedSpans().map(({ name, kind, attributes, status }) => ({ name, kind, attributes, status })),
    metrics: points
      .getMetrics()
      .at(-1)
      .scopeMetrics.filter(({ scope }) => scope.name === 'sallyport')
      .flatMap((each) => each.metrics)
      .map(({ descriptor, dataPoints }) => ({
        name: descriptor.name,
        points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      })),
  }
}
