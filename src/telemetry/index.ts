/** Subpath `sallyport/otel`: decisions for OpenTelemetry. Re-exports only. */
export type { LabelOptions } from './decision-labels.ts'
export { createTelemetry, type SpanDetail, type TelemetryOptions } from './telemetry.ts'
