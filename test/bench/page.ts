/** Results as the page docs/performance.md: everything in it comes from the file of a run. */
import type { Results } from './results.ts'
import type { Group, Row, Section } from './section.ts'
import { describeMeasure, formatFigure, type Verdict, verdictOf } from './verdict.ts'

/** The page. */
export function pageOf(results: Results): string {
  const sections = Object.values(results.sections)
  const parts = [
    INTRODUCTION,
    ranOn(results),
    '![Bars: what authenticating costs on Express, Koa and Hono, cached and new tokens, and a flood, beside the peers](performance.svg)',
    '## What it is held to',
    'Each figure has a goal, and a gate that it must not miss. Ratios are medians, minimum and maximum of the rounds in brackets.',
    targetTable(sections),
    '## Where others are ahead',
    aheadOf(sections),
    HOW,
    ...sections.flatMap(sectionParts),
    '## Versions',
    Object.entries(results.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ]
  return `${parts.join('\n\n')}\n`
}

const INTRODUCTION = `<!-- Written by \`npm run pages\` from test/bench/results/published.json: change nothing here. -->

# Performance

What sallyport costs, beside what others cost for the same or for less: measured in one run, printed as it came out.
\`npm run bench\` does it again where you are, \`npm run bench -- --quick\` in under two minutes.`

const HOW = `## How it is measured

- All contenders of a table take turns, round after round, in rotating order; each round gives each a ratio to the base of the
  table, and the page shows the median of those, with minimum and maximum. Figures of different tables are of different moments:
  compare ratios, not microseconds.
- Every contender is shown a good token and a forged one first: one that takes both or neither ends the run.
- Each section is a process of its own. A round that counts for nothing comes first; garbage is collected before each turn; keys
  are prepared outside the clock; every call brings a fresh string; every answer is looked at.
- Processor time is that of the whole process, all its threads. It is the steadier figure; calls a second depend on what else the
  machine does.
- Over HTTP the ratios to the bare server are larger on a host whose memory answers slowly, the peers' as ours: compare the rows of
  one run.
- The package is built from the tree as it is published. The peers are the newest releases that could be installed, used as their
  own pages say.

Not claimed: that your service gets faster by so much (a handler that asks a database costs more than all of this); anything about
another machine, another version, or tokens of another size; a difference of less than the control row, which is the same server
twice. The peers verify a token and stop there: the rows of the whole pipeline do more than those beside them.`

function ranOn({ command, date, minutes, machine, versions }: Results): string {
  const { processor, cores, memoryGib, system, load } = machine
  return `The run shown: \`${command}\` on ${date}, ${minutes} minutes; Node ${versions['Node']} with OpenSSL ${versions['OpenSSL']}, \
${cores} cores (${processor}), ${memoryGib} GiB, ${system}; load ${load} when it began. Versions are at the end.`
}

const VERDICTS: Readonly<Record<Exclude<Verdict, null>, string>> = {
  goal: 'goal met',
  gate: 'gate met',
  missed: '**missed**',
}

function targetTable(sections: readonly Section[]): string {
  const rows = sections.flatMap(({ title, groups }) =>
    groups.flatMap((group) => group.rows.map((row) => targetRow(title, group, row))),
  )
  return tableOf(
    ['', 'figure', 'median (min–max)', 'goal', 'gate', ''],
    rows.filter((row) => row !== null),
  )
}

function targetRow(section: string, group: Group, row: Row): string[] | null {
  const verdict = verdictOf(group, row)
  if (verdict === null) return null
  const sign = group.better === 'lower' ? '≤' : '≥'
  const against = group.against === null ? '' : `, against ${group.against}`
  const what = `${nameOf(group)}: ${row.name}, ${describeMeasure(group)}${against}`
  return [section, what, figureOf(group, row), `${sign} ${row.goal}`, `${sign} ${row.gate}`, VERDICTS[verdict]]
}

// Every row of another that is better than the best of ours in the same group.
function aheadOf(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ title, groups }) => groups.flatMap((group) => aheadIn(title, group)))
  if (lines.length === 0) return 'Nowhere, in this run.'
  return lines.map((line) => `- ${line}`).join('\n')
}

function aheadIn(section: string, group: Group): string[] {
  const isOurs = ({ name }: Row): boolean => name.startsWith('sallyport')
  const isNobody = ({ name }: Row): boolean => name.startsWith('no auth')
  const median = ({ ratio, value }: Row): number => (ratio ?? value).median
  const order = (a: Row, b: Row): number => (group.better === 'lower' ? median(a) - median(b) : median(b) - median(a))
  const [best] = group.rows.filter(isOurs).sort(order)
  if (best === undefined || group.rows.every(isOurs)) return []
  const ahead = group.rows.filter((row) => !isOurs(row) && !isNobody(row) && order(row, best) < 0).sort(order)
  if (ahead.length === 0) return []
  const shown = [...ahead, best].map((row) => `${row.name} ${formatFigure(median(row), group.unit)}`)
  return [`${section}, ${nameOf(group)}, ${group.measure}: ${shown.join(', ')}`]
}

function sectionParts({ title, about, groups, missing }: Section): string[] {
  const titles = [...new Set(groups.map((group) => group.title))]
  const tables = titles.flatMap((each) => groupTable(groups.filter((group) => group.title === each)))
  return [`## ${title}`, about, ...tables, ...(missing.length === 0 ? [] : [missing.join(' ')])]
}

// Groups of one title side by side; turned where that is narrower.
function groupTable(groups: readonly Group[]): string[] {
  const [first] = groups as [Group]
  const names = [...new Set(groups.flatMap(({ rows }) => rows.map(({ name }) => name)))]
  const columns = groups.map((group) => group.column ?? describeMeasure(group))
  const cell = (name: string, group: Group): string => {
    const row = group.rows.find((each) => each.name === name)
    return row === undefined ? '–' : cellOf(group, row)
  }
  const measure = first.column === undefined ? '' : `, ${describeMeasure(first)}`
  const against = first.against === null ? '' : `; ratios against ${first.against}`
  const rounds = first.rounds === 1 ? '' : `; ${first.rounds} rounds`
  const caption = `**${first.title}**${measure}${against}${rounds}`
  if (columns.length > names.length) {
    const rows = groups.map((group, index) => [columns[index] as string, ...names.map((name) => cell(name, group))])
    return [caption, tableOf(['', ...names], rows)]
  }
  return [
    caption,
    tableOf(
      ['', ...columns],
      names.map((name) => [name, ...groups.map((group) => cell(name, group))]),
    ),
  ]
}

function nameOf({ title, column }: Group): string {
  return column === undefined ? title : `${title}, ${column}`
}

function cellOf(group: Group, row: Row): string {
  const value = formatFigure(row.value.median, group.unit)
  if (row.ratio === null || row.name === group.against) return value
  return `${value} · ${figureOf(group, row)}`
}

// The ratio where there is one, else the value itself.
function figureOf({ unit }: Group, { ratio, value }: Row): string {
  const { min, median, max } = ratio ?? value
  const format = (figure: number): string => formatFigure(figure, ratio === null ? unit : '×')
  return min === max ? format(median) : `${format(median)} (${format(min)}–${format(max)})`
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  // Figures to the right: all that does not begin with a letter.
  const rule = head.map((_, index) => (rows.some((row) => /^[A-Za-z*]/.test(row[index] ?? '')) ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}
