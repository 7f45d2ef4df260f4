/**
 * What is in the package, as CycloneDX 1.6 in JSON: the package, what it asks for at run time, what is bundled into it. The build
 * writes it beside the code. It has no serial number and no time: the same sources give the same bytes.
 */
import { existsSync, readFileSync } from 'node:fs'

/** A package as its own `package.json` says it. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>
}

/** What esbuild says of a build, as far as it matters here. */
export interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>
}

/** The packages of which a build has taken files, by name, sorted. */
export function listBundled(metafile: Metafile): string[] {
  const names = Object.keys(metafile.inputs).flatMap(
    (path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? [],
  )
  return [...new Set(names)].sort()
}

/** The bill of materials of a build, as an object that is written as JSON. */
export function createSbom(metafile: Metafile): object {
  const own = readManifest('package.json')
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock
  const bundled = listBundled(metafile)
  const asked = Object.keys(own.dependencies ?? {}).sort()
  const installed = [...asked, ...bundled].map((name) => readManifest(`node_modules/${name}/package.json`))
  const refs = installed.map(purlOf).sort()
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: componentOf(own),
    },
    components: installed.map((each) => ({
      ...componentOf(each),
      scope: 'required',
      ...hashesOf(lock, each.name),
      properties: [{ name: 'sallyport:how', value: howOf(each.name, bundled, own) }],
    })),
    dependencies: [
      { ref: purlOf(own), dependsOn: refs },
      ...installed.map((each) => ({ ref: purlOf(each), dependsOn: [] })),
    ],
    compositions: [{ aggregate: 'complete', assemblies: [purlOf(own)], dependencies: [purlOf(own)] }],
  }
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

function purlOf({ name, version }: Manifest): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

function componentOf(manifest: Manifest): object {
  const { name, version, description, license = 'NOASSERTION' } = manifest
  return {
    type: 'library',
    'bom-ref': purlOf(manifest),
    name,
    version,
    ...(description === undefined ? {} : { description }),
    licenses: [{ license: { id: license } }],
    purl: purlOf(manifest),
  }
}

// Of the tarball in the registry, as the lock file has it.
function hashesOf(lock: Lock, name: string): object {
  const [, content] = lock.packages[`node_modules/${name}`]?.integrity?.match(/^sha512-(\S+)$/) ?? []
  if (content === undefined) return {}
  return { hashes: [{ alg: 'SHA-512', content: Buffer.from(content, 'base64').toString('hex') }] }
}

function howOf(name: string, bundled: readonly string[], own: Manifest): string {
  if (bundled.includes(name)) return 'bundled: parts of it are in dist/*.js, its notice in dist/THIRD-PARTY-NOTICES.txt'
  return `asked for as ${own.dependencies?.[name]}; this release is the one that was tested`
}

/** The licences of what is bundled, in full. */
export function noticesOf(metafile: Metafile): string {
  return listBundled(metafile)
    .map((name) => {
      const folder = `node_modules/${name}`
      const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].find((each) => existsSync(`${folder}/${each}`))
      if (file === undefined) throw new Error(`${name} is bundled and has no licence file`)
      const { version } = readManifest(`${folder}/package.json`)
      return `Parts of ${name} ${version} are included in this package under its licence:\n\n${readFileSync(`${folder}/${file}`, 'utf8')}`
    })
    .join('\n')
}
