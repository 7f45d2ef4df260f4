/** What the package promises by name: a name that comes or goes shows up here, and goes into the changelog. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { entryPoints, root } from './entry-points.ts'
import { exportsOf } from './exports-of.ts'

it('exports these names, and no others (npx vitest run test/package/exports.test.ts -u after a change)', async () => {
  const lines = entryPoints.flatMap(({ specifier, file }) => [
    specifier,
    ...exportsOf(file).map(({ kind, name }) => `  ${kind === 'type' ? 'type ' : ''}${name}`),
  ])
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('exported-names.txt')
})

it('states the same subpaths in package.json and tsconfig.json, types before default, nothing else', () => {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { exports: Record<string, unknown> }
  const expected = entryPoints.map(({ specifier, name }) => [
    specifier.replace('sallyport', '.'),
    { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
  ])
  expect(JSON.stringify(exports)).toBe(
    JSON.stringify({ ...Object.fromEntries(expected), './package.json': './package.json' }),
  )
})

it('has a source file for each subpath', () => {
  expect(entryPoints.filter(({ file }) => !existsSync(root + file))).toEqual([])
})

it('gives every adapter the same names', () => {
  const [express, ...others] = entryPoints
    .filter(({ file }) => file.startsWith('adapters/'))
    .map(({ name, file }) =>
      exportsOf(file)
        .filter(({ kind }) => kind === 'value')
        .map((each) => each.name.replace(name, '<framework>')),
    )
  expect(others.length).toBe(2)
  for (const names of others) expect(names).toEqual(express)
})
