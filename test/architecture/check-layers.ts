/**
 * The checker: source texts by path in, violations as sentences out. Knows the rules, not the table's contents,
 * so that a made-up tree with one fault can prove each rule.
 */
import { posix } from 'node:path'
import { callsCreateAuth, handWork } from './hand-work.ts'
import { BUDGETS, EMPTY_NAMES, EXCEPTIONS, METAPHORS, type Place, placeOf } from './layers.ts'
import { type ImportLine, readSource, type SourceFile } from './source-file.ts'

/** Check a tree: `texts` holds every file by its path from the repository's root. Empty: nothing is wrong. */
export function checkLayers(texts: ReadonlyMap<string, string>): string[] {
  const files = [...texts].filter(([path]) => isRead(path)).map(([path, text]) => readSource(path, text))
  return [
    ...[...texts.keys()].flatMap(checkName),
    ...files.filter(({ path }) => isSource(path)).flatMap(checkSource),
    ...files.filter(({ path }) => path.startsWith('examples/')).flatMap(checkExample),
    ...checkReasons(files.filter(({ path }) => isSource(path))),
    ...checkCasts(files.filter(({ path }) => isSource(path))),
    ...findCycles(files.filter(({ path }) => isSource(path))),
  ]
}

// Of tests and scripts only the names are looked at.
const isRead = (path: string): boolean => /^(src|adapters|examples)\//.test(path)
const isSource = (path: string): boolean => /^(src|adapters)\//.test(path)

function checkName(path: string): string[] {
  const segments = path.split('/')
  const found: string[] = []
  if (!segments.every((segment) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/.test(segment))) {
    found.push(`${path}: the name is not kebab-case`)
  }
  const names = segments.map((segment) => segment.replace(/\..*$/, ''))
  if (!path.startsWith('test/') && names.some((name) => EMPTY_NAMES.includes(name))) {
    found.push(`${path}: the name says nothing about what is inside`)
  }
  return found
}

function checkSource(file: SourceFile): string[] {
  const place = placeOf(file.path)
  if (place === null) return [`${file.path}: belongs to no place of the table`]
  return [
    ...file.imports.flatMap((line) => checkImport(line, place)),
    ...checkGlobals(file, place),
    ...checkBudgets(file),
    ...[...file.declared].filter(isMetaphor).map((name) => `declares ${name}, a metaphor: say what it is`),
    ...(file.hasHeadComment ? [] : ['has no head comment']),
    ...(place.reExportsOnly === true && !file.reExportsOnly ? ['is an entry point: it may only re-export'] : []),
  ].map((sentence) => `${file.path}: ${sentence}`)
}

function isMetaphor(name: string): boolean {
  return name.split(/(?=[A-Z])|_/).some((word) => METAPHORS.includes(word.toLowerCase()))
}

function checkImport(line: ImportLine, place: Place): string[] {
  if (line.path !== null) return checkOwnImport(line.path, place)
  const { specifier, typeOnly, namespace, names } = line
  if (specifier.startsWith('node:')) {
    return place.node === true ? [] : [`imports ${specifier}: ${place.name} is Web-standard`]
  }
  const isType = place.typePackages?.includes(specifier) === true
  if (isType) return typeOnly ? [] : [`imports ${specifier} at run time: types only`]
  if (place.packages?.includes(specifier) !== true) return [`imports ${specifier}: not allowed in ${place.name}`]
  if (specifier === 'zod/mini' && !namespace) return ['imports zod/mini by name: only `import * as z` is tree-shaken']
  const decrypting = names.filter((name) => /decrypt/i.test(name))
  return decrypting.length === 0 ? [] : [`imports ${decrypting.join(', ')}: nothing here decrypts a token`]
}

function checkOwnImport(path: string, place: Place): string[] {
  const target = placeOf(path)
  if (target === null) return [`imports ${path}, which belongs to no place of the table`]
  const allowed = target.name === place.name ? place.among : place.imports.includes(target.name)
  return allowed ? [] : [`imports ${path}: ${place.name} may not import ${target.name}`]
}

function checkGlobals({ path, globals }: SourceFile, place: Place): string[] {
  const allowed = new Set([
    ...EXCEPTIONS.filter((exception) => exception.path === path).map(({ uses }) => uses),
    ...(place.node === true ? ['Buffer'] : []),
    ...(place.console === true ? ['process', 'console'] : []),
    ...(place.clock === true ? ['Date.now()', 'new Date()', 'performance'] : []),
  ])
  return [...globals].filter((name) => !allowed.has(name)).map((name) => `uses ${name}`)
}

function checkBudgets({ path, codeLines, functions }: SourceFile): string[] {
  const budget = path.startsWith('adapters/') ? BUDGETS.adapter : BUDGETS.file
  return [
    ...(codeLines > budget ? [`has ${codeLines} lines of code, the budget is ${budget}`] : []),
    ...functions
      .filter((each) => each.codeLines > BUDGETS.function)
      .map((each) => `${each.name} has ${each.codeLines} lines of code, the budget is ${BUDGETS.function}`),
    ...functions
      .filter((each) => each.parameters > BUDGETS.parameters)
      .map((each) => `${each.name} takes ${each.parameters} parameters, the budget is ${BUDGETS.parameters}`),
  ]
}

function checkExample(file: SourceFile): string[] {
  const { path, imports, codeLines } = file
  const outside = imports.filter((line) => line.path !== null && !line.path.startsWith('examples/'))
  const isSetUp = posix.basename(path) === 'auth.ts' || callsCreateAuth(file)
  return [
    ...outside.map((line) => `${path}: imports ${line.path}: an example imports the package by name`),
    ...(isSetUp && codeLines > BUDGETS.exampleSetUp
      ? [`${path}: has ${codeLines} lines of code, the budget is ${BUDGETS.exampleSetUp}`]
      : []),
    ...handWork(file).map((deed) => `${path}: ${deed}: that is the library's to do`),
  ]
}

/**
 * Find the cycles of imports, each as a sentence. Types count too: two files that need each other's nouns are one thing,
 * or hide a third.
 */
export function findCycles(files: readonly SourceFile[]): string[] {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports.flatMap((line) => line.path ?? [])]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push(`${[...way.slice(way.indexOf(path)), path].join(' → ')}: a cycle`)
    if (done.has(path) || way.includes(path)) return
    for (const next of importsOf.get(path) ?? []) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of importsOf.keys()) visit(path, [])
  return found
}

function checkCasts(files: readonly SourceFile[]): string[] {
  const count = files.reduce((sum, { castsThroughUnknown }) => sum + castsThroughUnknown, 0)
  if (count <= BUDGETS.casts) return []
  const paths = files.filter(({ castsThroughUnknown }) => castsThroughUnknown > 0).map(({ path }) => path)
  return [`${paths.join(', ')}: ${count} casts through unknown, the budget is ${BUDGETS.casts}`]
}

// The testing kit may throw refusals as made-up steps do; the library's own each have one reason, at one site.
function checkReasons(files: readonly SourceFile[]): string[] {
  const sites = files
    .filter(({ path }) => !path.startsWith('src/testing/') && path !== 'src/errors.ts')
    .flatMap(({ path, refusals }) => refusals.map((reason) => ({ path, reason })))
  return sites.flatMap(({ path, reason }) => {
    if (reason === null) return [`${path}: throws an AuthError without a literal reason`]
    if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(reason)) return [`${path}: the reason "${reason}" is not a snake_case word`]
    const count = sites.filter((site) => site.reason === reason).length
    return count === 1 ? [] : [`${path}: the reason "${reason}" is given at ${count} sites`]
  })
}
