/**
 * Metrics as text: Prometheus' exposition format 0.0.4, and OpenMetrics 1.0. Knows the formats, nothing of what is counted.
 * Hands on text and its media type.
 */

/** A metric with all its series. */
export interface MetricFamily {
  /** Without the `_total` of a counter. */
  readonly name: string
  readonly type: 'counter' | 'histogram'
  readonly help: string
  /** The base unit, which also ends the name: `seconds`. */
  readonly unit?: string | undefined
  readonly samples: readonly Sample[]
}

/** One line. */
export interface Sample {
  /** What follows the name: `_total`, `_bucket`, `_sum`, `_count`. */
  readonly suffix: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A format, by its media type. */
export type ExpositionFormat = 'text/plain' | 'application/openmetrics-text'

/** The media types with their parameters, as they are sent. */
export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  'text/plain': 'text/plain; version=0.0.4; charset=utf-8',
  'application/openmetrics-text': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/**
 * Which format a request prefers by its `Accept` header (RFC 9110 §12.5.1): OpenMetrics where it is named, in the version that
 * is spoken here or in none, and weighs at least as much as plain text. Else plain text, which everybody reads.
 */
export function chooseFormat(accept: string): ExpositionFormat {
  const ranges = accept.toLowerCase().split(',').map(toRange)
  const weightOf = (type: string, version: string): number =>
    Math.max(0, ...ranges.filter((each) => each.type === type && isVersion(each, version)).map(({ weight }) => weight))
  const openMetrics = weightOf('application/openmetrics-text', '1.0.0')
  return openMetrics > 0 && openMetrics >= weightOf('text/plain', '0.0.4')
    ? 'application/openmetrics-text'
    : 'text/plain'
}

interface MediaRange {
  readonly type: string
  readonly version: string | null
  readonly weight: number
}

function toRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const parameter = (name: string): string | null =>
    parameters.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? null
  const weight = Number(parameter('q') ?? 1)
  return { type, version: parameter('version'), weight: weight >= 0 && weight <= 1 ? weight : 0 }
}

function isVersion({ version }: MediaRange, wanted: string): boolean {
  return version === null || version === wanted
}

/** Write metrics in a format. */
export function toExposition(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const isOpen = format === 'application/openmetrics-text'
  return `${families.map((family) => toLines(family, isOpen).join('')).join('')}${isOpen ? '# EOF\n' : ''}`
}

function toLines({ name, type, help, unit, samples }: MetricFamily, isOpen: boolean): string[] {
  // Of a counter the older format calls by its full name what the newer one calls by its family's.
  const named = type === 'counter' && !isOpen ? `${name}_total` : name
  return [
    `# HELP ${named} ${isOpen ? escapeLabel(help) : escapeHelp(help)}\n`,
    `# TYPE ${named} ${type}\n`,
    ...(isOpen && unit !== undefined ? [`# UNIT ${named} ${unit}\n`] : []),
    ...samples.map(({ suffix, labels, value }) => `${name}${suffix}${toLabels(labels)} ${value}\n`),
  ]
}

function toLabels(labels: Readonly<Record<string, string>>): string {
  const written = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`)
  return written.length === 0 ? '' : `{${written.join(',')}}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}

/** An upper bound as both formats write it, one series whichever is read: `0.005`, `1.0`, `+Inf`. */
export function toBound(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return '+Inf'
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds)
}
