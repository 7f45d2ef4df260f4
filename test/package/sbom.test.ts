/** The bill of materials in the tarball: CycloneDX, of what the build has taken in and what is asked for, and nothing in it changes by itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { listBundled } from '../../scripts/sbom.ts'
import { root } from './entry-points.ts'
import { openPacked } from './packed.ts'

const packed = await openPacked()

interface Component {
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly licenses: readonly { readonly license: { readonly id: string } }[]
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[]
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

interface Sbom {
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
  readonly metadata: { readonly component: Component }
}

let sbom: Sbom
beforeAll(() => {
  sbom = JSON.parse(readFileSync(join(packed.bare, 'node_modules/sallyport/dist/sbom.cdx.json'), 'utf8')) as Sbom
})

const own = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string; dependencies: object }

it('is CycloneDX 1.6, and says no time and no serial number', () => {
  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 })
  expect(Object.keys(sbom)).not.toContain('serialNumber')
  expect(Object.keys(sbom.metadata)).not.toContain('timestamp')
})

it('has what is bundled, by what the build took in, and what package.json asks for', () => {
  const metafile = JSON.parse(readFileSync(join(packed.tree, 'dist/metafile-esm.json'), 'utf8'))
  const how = (word: string): string[] =>
    sbom.components.flatMap(({ name, properties }) => (properties?.[0]?.value.startsWith(word) ? [name] : []))
  expect(how('bundled: ')).toEqual(listBundled(metafile))
  expect(how('asked for as ')).toEqual(Object.keys(own.dependencies))
  expect(sbom.components).toHaveLength(listBundled(metafile).length + Object.keys(own.dependencies).length)
})

it('names each by version, licence, package URL and digest', () => {
  for (const { name, version, purl, licenses, hashes } of sbom.components) {
    const installed = JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8'))
    expect([version, licenses[0]?.license.id]).toEqual([installed.version, installed.license])
    expect(purl).toBe(`pkg:npm/${name}@${version}`)
    expect(hashes).toEqual([{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }])
  }
  expect(sbom.metadata.component).toMatchObject({ name: 'sallyport', purl: `pkg:npm/sallyport@${own.version}` })
})

it('depends on what is there, and says that this is all', () => {
  const refs = [sbom.metadata.component, ...sbom.components].map((each) => each['bom-ref'])
  expect(new Set(refs).size).toBe(refs.length)
  expect(sbom.dependencies.map(({ ref }) => ref)).toEqual(refs)
  expect(sbom.dependencies[0]?.dependsOn).toEqual(refs.slice(1).sort())
  expect(sbom).toMatchObject({ compositions: [{ aggregate: 'complete' }] })
})
