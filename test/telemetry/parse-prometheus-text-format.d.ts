// The part of parse-prometheus-text-format that the tests use; the package ships no types.
declare module 'parse-prometheus-text-format' {
  export default function parsePrometheusText(text: string): {
    readonly name: string
    readonly type: string
    readonly metrics: { readonly value: string; readonly labels?: Readonly<Record<string, string>> }[]
  }[]
}
